/** The browser's own clipboard, where there is one and it may be used. */

/** There is none without a secure context, whatever the types say. */
export function browserClipboard(): Clipboard | undefined {
  return navigator.clipboard;
}

/** The text on it, where it lets itself be read without asking: Firefox would show a menu at every paste. */
export async function readBrowser(): Promise<string | null> {
  const clipboard = browserClipboard();
  const permissions = navigator.permissions as Permissions | undefined; // as with the clipboard
  if (!clipboard || !permissions || !document.hasFocus()) {
    return null;
  }
  try {
    const name = 'clipboard-read' as PermissionName; // browsers know more names than the types
    const answer = await permissions.query({ name });
    return answer.state === 'granted' ? await clipboard.readText() : null;
  } catch {
    return null; // it does not know this permission, or the focus just went
  }
}
