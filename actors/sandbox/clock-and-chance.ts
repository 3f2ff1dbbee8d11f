/**
 * `Date`, `Math`, `performance` and `crypto` for workflow code: the real ones, with time and randomness from the execution.
 * Thread: worker. In → out: functions that tell the time and draw a number → the objects that workflow code sees.
 */

/** Instances are real `Date`s with the real prototype, so that `instanceof` and serialization work wherever one was made. */
export function createDate(now: () => number): DateConstructor {
  const RealDate = Date;
  function SandboxDate(...args: unknown[]): Date | string {
    if (new.target === undefined) return new RealDate(now()).toString();
    const given = args.length === 0 ? [now()] : args;
    return Reflect.construct(RealDate, given, new.target === (SandboxDate as unknown) ? RealDate : new.target) as Date;
  }
  Object.defineProperties(SandboxDate, {
    name: { value: 'Date', configurable: true },
    length: { value: RealDate.length, configurable: true },
    prototype: { value: RealDate.prototype, writable: false },
    now: { value: () => now() },
    parse: { value: RealDate.parse },
    UTC: { value: RealDate.UTC },
  });
  return Object.freeze(SandboxDate) as unknown as DateConstructor;
}

export function createMath(random: () => number): Math {
  const math = Object.create(Object.prototype, Object.getOwnPropertyDescriptors(Math)) as Math;
  Object.defineProperty(math, 'random', { value: () => random() });
  return Object.freeze(math);
}

export function createPerformance(now: () => number): Pick<typeof performance, 'now' | 'timeOrigin'> {
  return Object.freeze({ now: () => now(), timeOrigin: 0 });
}

export interface SandboxCrypto {
  randomUUID(): string;
  getRandomValues<T extends ArrayBufferView>(view: T): T;
}

export function createCrypto(random: () => number): SandboxCrypto {
  const fill = (bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length; at += 4) {
      const word = Math.floor(random() * 0x1_0000_0000);
      for (let byte = at; byte < Math.min(at + 4, bytes.length); byte++) bytes[byte] = word >>> (8 * (byte - at));
    }
  };
  return Object.freeze({
    randomUUID(): string {
      const bytes = new Uint8Array(16);
      fill(bytes);
      // RFC 9562: version 4, variant 10.
      bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
      bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
      const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
      return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    },
    getRandomValues<T extends ArrayBufferView>(view: T): T {
      if (!ArrayBuffer.isView(view)) throw new TypeError('crypto.getRandomValues takes a typed array');
      if (view.byteLength > 65_536) throw new RangeError('crypto.getRandomValues fills at most 65,536 bytes at once');
      fill(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
      return view;
    },
  });
}
