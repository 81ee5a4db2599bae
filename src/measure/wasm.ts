/**
 * WebAssembly memories of this thread, which `process.memoryUsage()` hardly shows: of libsodium's
 * 4 MiB it counts 0.7 MB as external.
 *
 * @module
 */

interface Memory {
  readonly buffer: ArrayBufferLike;
}

interface Instance {
  readonly exports: object;
}

/** The part of the interface that is wrapped; it is declared with the DOM's types only. */
interface WebAssemblyInterface {
  Memory: new (...parameters: unknown[]) => Memory;
  Instance: new (...parameters: unknown[]) => Instance;
  instantiate: (...parameters: unknown[]) => Promise<Instance | { readonly instance: Instance }>;
}

const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyInterface };

/** Weak, so that watching a memory does not keep it. */
const seen: WeakRef<Memory>[] = [];
const known = new WeakSet<Memory>();
let tracking = false;

/**
 * Wraps `WebAssembly.Memory`, `WebAssembly.Instance` and `WebAssembly.instantiate` and keeps an eye
 * on every memory that is made, imported or exported from now on. Call it once per thread before
 * any library is imported; a second call does nothing.
 *
 * Not seen: memories that a module neither imports nor exports, and modules that are instantiated
 * from a stream or by an `import` of a `.wasm` file. No library here does any of these.
 */
export function trackWasm(): void {
  if (tracking) return;
  tracking = true;
  WebAssembly.Memory = new Proxy(WebAssembly.Memory, {
    construct(target, parameters: unknown[], newTarget) {
      const memory = Reflect.construct(target, parameters, newTarget) as Memory;
      see(memory);
      return memory;
    },
  });
  WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
    construct(target, parameters: unknown[], newTarget) {
      const instance = Reflect.construct(target, parameters, newTarget) as Instance;
      seeAll(instance, parameters[1]);
      return instance;
    },
  });
  WebAssembly.instantiate = new Proxy(WebAssembly.instantiate, {
    async apply(target, receiver, parameters) {
      const result = await Reflect.apply(target, receiver, parameters);
      // Given bytes it resolves to module and instance, given a module to the instance alone.
      seeAll('instance' in result ? result.instance : result, parameters[1]);
      return result;
    },
  });
}

/** Bytes of the memories seen that are still alive, at their present size. */
export function wasmBytes(): number {
  let bytes = 0;
  for (const memory of seen) bytes += memory.deref()?.buffer.byteLength ?? 0;
  return bytes;
}

/** @param imports Two levels, namespace and name, or nothing. */
function seeAll(instance: Instance, imports: unknown): void {
  for (const exported of Object.values(instance.exports)) see(exported);
  for (const namespace of Object.values(imports ?? {})) {
    for (const imported of Object.values(namespace ?? {})) see(imported);
  }
}

function see(candidate: unknown): void {
  if (!(candidate instanceof WebAssembly.Memory) || known.has(candidate)) return;
  known.add(candidate);
  seen.push(new WeakRef(candidate));
}
