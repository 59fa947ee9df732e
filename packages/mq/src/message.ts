import { types } from 'node:util';

import type { Bytes } from '@octoipc/core';
import { bytes, valueError } from '@octoipc/core/kit';

/**
 * The bytes of a message that is to be sent.
 *
 * @throws {TypeError} ERR_INVALID_ARG_TYPE when it is neither a string nor a view of memory
 * @throws {TypeError} ERR_INVALID_ARG_VALUE when its memory is detached, or shared between threads:
 *   what another thread changes meanwhile would be sent half old, half new
 */
export function messageBytes(message: Bytes): Uint8Array {
  const view = bytes(message, 'message');
  if (!(view.buffer instanceof ArrayBuffer) && types.isSharedArrayBuffer(view.buffer)) {
    throw valueError(
      'message',
      'must not be shared memory, which may change while it is sent: copy it, Buffer.from(view)',
      message,
    );
  }
  return view;
}
