/** What stands between the page and the display: a question of the login to its node, or trouble on the way. */
import type { ILiveAnswer, ILoginAnswer, ITrouble } from '../core/models';
import type { ITrans } from '../core/trans';
import type { Beat } from './live-socket';
import { QuestionDialog } from './question-dialog';

export class NodeLogin {
  /** `_ask` sends a heartbeat now. */
  constructor(
    trans: ITrans,
    private readonly _ask: () => void,
  ) {
    this._question = new QuestionDialog(trans, answer => {
      this._answer = answer;
      _ask();
    });
  }

  /** Why the display is not reached, in the server's words. */
  get trouble(): ITrouble | null {
    return this._trouble;
  }

  /** Whether the user is asked something: until it is answered, no connection can be had. */
  get asking(): boolean {
    return this._question.asking;
  }

  hear({ question, trouble }: ILiveAnswer): void {
    this._trouble = trouble;
    this._question.show(question);
  }

  /** What a heartbeat says of it, once. */
  beat(): Pick<Beat, 'again' | 'answer'> {
    const said = { again: this._again, ...(this._answer && { answer: this._answer }) };
    this._again = false;
    this._answer = null;
    return said;
  }

  tryAgain(): void {
    this._again = true;
    this._trouble = null;
    this._ask();
  }

  private _trouble: ITrouble | null = null;
  /** Whether the next heartbeat asks for another try: who opens this page wants the display now. */
  private _again = true;
  /** What the next heartbeat answers. */
  private _answer: ILoginAnswer | null = null;
  private readonly _question: QuestionDialog;
}
