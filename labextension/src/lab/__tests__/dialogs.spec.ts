import { nullTranslator } from '@jupyterlab/translation';

import { app, eventually } from '../../core/__tests__/server';
import { enter } from '../../ui/__tests__/drawn';
import { askCommand } from '../dialogs';

const trans = nullTranslator.load('qconnect_web');

async function asked(): Promise<{ answer: Promise<string[] | null>; dialog: HTMLDialogElement }> {
  const answer = askCommand(app('any', { title: 'Any command' }), trans);
  await eventually(() => document.querySelector('dialog[open]') !== null, 'the question');
  return { answer, dialog: document.querySelector('dialog') as unknown as HTMLDialogElement };
}

it('the question for a command gives what was typed, as a list, and goes', async () => {
  const { answer, dialog } = await asked();
  expect(dialog.textContent).toContain('Any command');
  enter(dialog.querySelector('input') as unknown as HTMLInputElement, 'xterm -title "two words"');
  dialog.querySelector<HTMLElement>('button[type=submit]')?.click();
  expect(await answer).toEqual(['xterm', '-title', 'two words']);
  expect(document.querySelector('dialog')).toBeNull();
});

it('the question for a command gives nothing when it is closed', async () => {
  const { answer, dialog } = await asked();
  dialog.close();
  expect(await answer).toBeNull();
  expect(document.querySelector('dialog')).toBeNull();
});
