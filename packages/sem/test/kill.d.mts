export const SCENES: readonly string[];
export const KINDS: readonly ('stores' | 'calls')[];
export const missing: string | undefined;
export class Killer {
  kill(scene: string, processes: number, kind: 'stores' | 'calls', step: number): Promise<boolean>;
  remove(): void;
}
