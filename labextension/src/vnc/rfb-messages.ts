/** The two messages of RFB that noVNC has no word for, as bytes; they go over its own websocket, between its messages. */

/** FramebufferUpdateRequest, not incremental: the server answers it in any case, so it is a ping as well. */
export function updateRequest(width: number, height: number): ArrayBuffer {
  const message = new DataView(new ArrayBuffer(10));
  message.setUint8(0, 3);
  message.setUint16(6, width);
  message.setUint16(8, height);
  return message.buffer;
}

/**
 * EnableContinuousUpdates: whether the server may send pictures without being asked for each; "no" is always answered,
 * by one byte.
 */
export function continuousUpdates(on: boolean, width: number, height: number): ArrayBuffer {
  const message = new DataView(new ArrayBuffer(10));
  message.setUint8(0, 150);
  message.setUint8(1, Number(on));
  message.setUint16(6, width);
  message.setUint16(8, height);
  return message.buffer;
}
