import { errors } from '@nats-io/transport-node';
import { IpcError, type IpcErrorDetails } from '@octoipc/core';

interface Known {
  readonly code: string;
  readonly text: string;
  readonly hint?: string;
}

/** What the client library and the server say, as codes of ours. */
function known(error: Error): Known {
  const { message } = error;
  const { code } = error as { code?: unknown };
  if (code === 'ECONNREFUSED' || code === 'CONNECTION_REFUSED' || /refused/i.test(message)) {
    return {
      code: 'ECONNREFUSED',
      text: 'no NATS server answers there',
      hint: 'is it running? nats-server -a 127.0.0.1; with -js for JetStream',
    };
  }
  if (error instanceof errors.TimeoutError) {
    return { code: 'ETIMEDOUT', text: 'the NATS server has not answered' };
  }
  if (
    error instanceof errors.AuthorizationError ||
    error instanceof errors.UserAuthenticationExpiredError ||
    error instanceof errors.PermissionViolationError
  ) {
    return {
      code: 'EACCES',
      text: message,
      hint: 'give credentials in the URL (nats://user:password@host/subject) or in options.connection',
    };
  }
  if (error instanceof errors.ClosedConnectionError) {
    return { code: 'ECONNRESET', text: 'the connection to the NATS server was closed for good' };
  }
  if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) return { code, text: message };
  if (error.name === 'JetStreamNotEnabled' || /jetstream not enabled/i.test(message)) {
    return {
      code: 'ERR_UNSUPPORTED',
      text: 'the NATS server has no JetStream, or no stream has the subject',
      hint: 'start it with nats-server -js; create: true makes the stream',
    };
  }
  return { code: 'EPROTO', text: message };
}

/**
 * A failure of the client library as the one error that octoipc packages have.
 *
 * @param error - what it threw
 * @param details - the call and the URL
 * @returns an IpcError, or what was thrown if that is no Error
 */
export function failure(error: unknown, details: IpcErrorDetails): unknown {
  if (!(error instanceof Error) || error instanceof IpcError || error instanceof TypeError) {
    return error;
  }
  const { code, text, hint } = known(error);
  return new IpcError(code, { ...details, text, hint, cause: error });
}

/**
 * What the client library says of `options.connection`, as an error about an argument.
 *
 * @param error - what `connect` threw
 * @returns the error, or `undefined` if that was about something else, or says so already
 */
export function refusedOptions(error: unknown): TypeError | undefined {
  const told = error instanceof TypeError && !('code' in error);
  if (!told && !(error instanceof errors.InvalidArgumentError)) return undefined;
  return Object.assign(
    new TypeError(`options.connection is refused: ${error.message}`, { cause: error }),
    { code: 'ERR_INVALID_ARG_VALUE' },
  );
}
