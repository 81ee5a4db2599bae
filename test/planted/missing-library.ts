/** A provider whose package is not installed: it fails while its file loads. */

const NAME = ['not', 'installed', 'anywhere'].join('-');
await import(NAME);

export default { name: 'missing-library' };
