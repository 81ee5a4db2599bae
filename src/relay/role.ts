/**
 * What the provider does to what passes: the relay role of a pipeline, as an opaque handler. The
 * server calls it and knows no cryptography; whoever starts the server builds it from serialised
 * secrets. Without one, frames are kept and delivered as they came.
 *
 * @module
 */

export interface RelayRole {
  /** The most that `accept`, `deliver` or `handOver` adds to a frame. */
  readonly roomBytes: number;
  /** Set where a frame that arrives is what the user wrote. */
  readonly isReadable: boolean;
  /** @returns Length of what is to be stored, in `out`; negative for a frame that is refused. */
  accept(from: number, to: number, frame: Uint8Array, atMs: number, out: Uint8Array): number;
  /** @returns Length of what goes to the device, in `out`; negative when it does not open. */
  deliver(to: number, stored: Uint8Array, atMs: number, out: Uint8Array): number;
  /** As `deliver`, for an authority. */
  handOver(to: number, stored: Uint8Array, out: Uint8Array): number;
}
