/** What `serverReceiver` takes. */
export interface ServerReceiverOptions {
  /**
   * Outlive the senders: when the last one has left, wait for the next.
   *
   * @default false: that is the end, once somebody had connected
   */
  readonly persistent?: boolean | undefined;
  /** So many are connected at most; the others wait in the backlog. @default 1024 */
  readonly maxConnections?: number | undefined;
}
