let warned = false;

/** A handle was collected unclosed, and what it owned released: says so, once. */
export function warnOfLeak(): void {
  if (warned) return;
  warned = true;
  process.emitWarning(
    'A handle was collected without close(); what it owned is released now. Close handles, or declare them with `using`. Further ones are not reported.',
    'IpcLeakWarning',
  );
}
