import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runModule } from './child.ts';

/** Wraps the interface and gives the modules by hand: WebAssembly core specification 2.0, section 5.5. */
const PREAMBLE = `
  import { trackWasm, wasmBytes } from 'SRC/measure/wasm.ts';
  trackWasm();
  trackWasm();
  const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  // (module (memory (export "mem") 1)), of one page of 64 KiB.
  const exporting = new Uint8Array([...header,
    0x05, 0x03, 0x01, 0x00, 0x01,
    0x07, 0x07, 0x01, 0x03, 0x6d, 0x65, 0x6d, 0x02, 0x00]);
  // (module (import "a" "b" (memory 1)))
  const importing = new Uint8Array([...header,
    0x02, 0x08, 0x01, 0x01, 0x61, 0x01, 0x62, 0x02, 0x00, 0x01]);
  const pages = [];
  const note = () => pages.push(wasmBytes() / 65_536);
  note();`;

test('exported memories are counted however the module is instantiated, at their present size', () => {
  const pages = runModule(`${PREAMBLE}
    const fromBytes = await WebAssembly.instantiate(exporting);
    note();
    const module = new WebAssembly.Module(exporting);
    const fromModule = await WebAssembly.instantiate(module, {});
    note();
    const built = new WebAssembly.Instance(module);
    note();
    built.exports.mem.grow(5);
    note();
    console.log(JSON.stringify([pages, fromBytes.instance instanceof WebAssembly.Instance,
      fromModule instanceof WebAssembly.Instance, built instanceof WebAssembly.Instance]));`);
  assert.deepEqual(pages, [[0, 1, 2, 3, 8], true, true, true]);
});

test('a memory that is made and imported twice is counted once', () => {
  const pages = runModule(`${PREAMBLE}
    const memory = new WebAssembly.Memory({ initial: 3 });
    note();
    const first = await WebAssembly.instantiate(importing, { a: { b: memory } });
    const second = new WebAssembly.Instance(new WebAssembly.Module(importing), { a: { b: memory } });
    note();
    console.log(JSON.stringify([pages, memory instanceof WebAssembly.Memory]));`);
  assert.deepEqual(pages, [[0, 3, 3], true]);
});

test('a memory that its library let go of is not kept', () => {
  const pages = runModule(
    `${PREAMBLE}
    (() => new WebAssembly.Memory({ initial: 3 }))();
    note();
    await new Promise(setImmediate);
    gc();
    note();
    console.log(JSON.stringify(pages));`,
    ['--expose-gc'],
  );
  assert.deepEqual(pages, [0, 3, 0]);
});

test('a module that cannot be instantiated still rejects, and counts nothing', () => {
  const result = runModule(`${PREAMBLE}
    const error = await WebAssembly.instantiate(importing, {}).catch((error) => error.name);
    console.log(JSON.stringify([error, wasmBytes()]));`);
  assert.deepEqual(result, ['TypeError', 0]);
});

test('the memory of libsodium is seen', () => {
  const { before, after, valid } = runModule(`${PREAMBLE}
    const before = wasmBytes();
    const { default: sodium } = await import('libsodium-wrappers-sumo');
    await sodium.ready;
    const valid = sodium.crypto_hash_sha256(new Uint8Array(3)).length === 32;
    console.log(JSON.stringify({ before, after: wasmBytes(), valid }));`) as {
    before: number;
    after: number;
    valid: boolean;
  };
  assert.ok(valid);
  assert.equal(before, 0);
  assert.ok(after >= 1 << 20, `${after} bytes`);
});
