/**
 * Replaces methods of one object, as a defect would.
 *
 * @param object - a subject
 * @param methods - each is made of the method that it replaces, bound
 * @returns the object
 */
export function override<T extends object>(
  object: T,
  methods: { [K in keyof T]?: (original: T[K]) => T[K] },
): T {
  for (const name of Reflect.ownKeys(methods) as (keyof T & PropertyKey)[]) {
    const original = object[name] as (...args: unknown[]) => unknown;
    const make = methods[name] as (original: unknown) => unknown;
    Object.defineProperty(object, name, { value: make(original.bind(object)), writable: true });
  }
  return object;
}
