/** What the agent touches of the HTML5 client, in the shapes of its versions 3.1 to 6: not all have all of it. */

export type Packet = unknown[];

export interface IXpraWindow {
  wid: unknown;
  canvas?: HTMLCanvasElement;
  title?: string;
  metadata?: Record<string, unknown>;
  x: number;
  y: number;
  w: number;
  h: number;
  leftoffset: number;
  rightoffset: number;
  topoffset: number;
  bottomoffset: number;
  override_redirect?: boolean;
  tray?: boolean;
  fullscreen?: boolean;
  maximized?: boolean;
  updateCSSGeometry?(): void;
  geometry_cb?: (win: IXpraWindow) => void;
}

export interface IXpraProtocol {
  set_packet_handler(handler: () => void, context: unknown): void;
  terminate?(): void;
  close(): void;
}

export interface IXpraClient {
  id_to_window: Partial<Record<string, IXpraWindow>>;
  focus: number;
  packet_handlers: Record<string, (packet: Packet) => void>;
  protocol: IXpraProtocol | null;
  reconnect: boolean;
  server_readonly: boolean;
  server_is_desktop: boolean;
  server_is_shadow: boolean;
  desktop_width: number;
  desktop_height: number;
  capture_keyboard: boolean;
  /** The window that has the keyboard, up to version 17 of the client … */
  topwindow?: number | null;
  /** … and since then. */
  focused_wid?: number | null;
  capabilities: Record<string, unknown>;
  disconnect_reason: string | null;
  server_ping_latency: number;
  clipboard_buffer: string;
  close_windows: () => void;
  /** The stage's element. */
  container?: HTMLElement;
  _screen_resized?(event: unknown, client: IXpraClient): void;
  callback_close: (reason?: string | null) => void;
  send(packet: Packet): void;
  clear_timers(): void;
  redraw_windows(): void;
  request_refresh(wid: number): void;
  _send_ping(): void;
  _update_capabilities?(caps: Record<string, unknown>): void;
  _poll_clipboard?(event: { type: string }): void;
  send_clipboard_token(data: string, types?: string[]): void;
  send_clipboard_string(request: unknown, selection: unknown, text: string, type?: string): void;
}

export type XpraClientClass = new () => IXpraClient;
export type XpraWindowClass = new () => IXpraWindow;

declare global {
  const XpraClient: XpraClientClass | undefined;
  const XpraWindow: XpraWindowClass | undefined;
  const Utilities: { VERSION?: string; getHexUUID?: () => string } | undefined;
}
