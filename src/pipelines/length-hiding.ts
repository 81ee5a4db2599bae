import { carry, carrierOptions, openCarrierRelay } from './_carrier.ts';
import { PaddedEnds, PADDING_OPTION } from './_padding.ts';
import { RatchetEnds, SKIP_LIMIT } from './_ratchet-ends.ts';
import type { Pipeline, World } from './_pipeline.ts';
