/**
 * Colours and sizes of charts, in light and in dark.
 *
 * Colours are fixed per role and per implementation, so that a missing series moves none. They are
 * told apart by people who see no red or no green, and stand out against their ground by at least
 * 3 to 1 (WCAG 2.2, 1.4.11); `test/report/site/theme.test.ts` computes both.
 *
 * @module
 */

import type { Config } from 'vega-lite';

export const THEMES = ['light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** Of the font that is shipped; others where a viewer has it not. */
export const FONT = 'Inter, "Helvetica Neue", Arial, sans-serif';

interface Ink {
  readonly ground: string;
  readonly text: string;
  readonly faint: string;
  readonly line: string;
  readonly accent: string;
  /** Of what costs more. */
  readonly dearer: string;
}

export const INKS: Readonly<Record<Theme, Ink>> = {
  light: {
    ground: '#ffffff',
    text: '#1a2230',
    faint: '#566173',
    line: '#dfe4ea',
    accent: '#1f5fae',
    dearer: '#c2590c',
  },
  dark: {
    ground: '#12161d',
    text: '#e8ecf2',
    faint: '#a3adbb',
    line: '#2c343f',
    accent: '#7ab2f4',
    dearer: '#f0a04b',
  },
};

type Pair = readonly [light: string, dark: string];

export const ROLE_COLOURS: Readonly<Record<string, Pair>> = {
  device: ['#1f5fae', '#5c9dea'],
  sender: ['#1f5fae', '#5c9dea'],
  relay: ['#d97706', '#f5b34c'],
  receiver: ['#00735c', '#25b594'],
  authority: ['#43145c', '#ecdcff'],
};

export const IMPLEMENTATION_COLOURS: Readonly<Record<string, Pair>> = {
  native: ['#1f5fae', '#5c9dea'],
  node: ['#d97706', '#f5b34c'],
  libsodium: ['#00735c', '#25b594'],
  noble: ['#43145c', '#ecdcff'],
  webcrypto: ['#8c2f1b', '#d9694f'],
  null: ['#8794a3', '#667180'],
};

/** Of families of pipelines, and of the calls of a message's way: as the role that makes them. */
const OTHER_COLOURS: Readonly<Record<string, Pair>> = {
  ratchet: ['#1f5fae', '#5c9dea'],
  'escrow-wrapped': ['#43145c', '#ecdcff'],
  'plaintext-relay': ['#d97706', '#f5b34c'],
  send: ['#1f5fae', '#5c9dea'],
  'relay store': ['#d97706', '#f5b34c'],
  'relay fetch': ['#8a4b00', '#fadf9f'],
  receive: ['#00735c', '#25b594'],
  'p99 of one window': ['#00735c', '#25b594'],
  'response p99': ['#d97706', '#f5b34c'],
  'response p50': ['#1f5fae', '#5c9dea'],
  'service p50': ['#5b6675', '#8b97a5'],
  share: ['#1f5fae', '#5c9dea'],
  bytes: ['#1f5fae', '#5c9dea'],
};

const KNOWN: Readonly<Record<string, Pair>> = {
  ...OTHER_COLOURS,
  ...ROLE_COLOURS,
  ...IMPLEMENTATION_COLOURS,
};

/** For what has no colour of its own, by its place. */
const OTHERS: readonly Pair[] = [
  ['#6941b8', '#b79cf2'],
  ['#8a5a00', '#d3a24a'],
  ['#b42318', '#f58a80'],
  ['#3f6b1f', '#93c66a'],
  ['#0e7490', '#4fc3dc'],
];

const index = (theme: Theme): 0 | 1 => (theme === 'light' ? 0 : 1);

/** Of a role, or of an implementation; of others by their place among `all`. */
export function colourOf(name: string, all: readonly string[], theme: Theme): string {
  const known = Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined;
  if (known !== undefined) return known[index(theme)];
  const unknown = [...new Set(all)].filter((other) => !Object.hasOwn(KNOWN, other));
  const place = Math.max(0, unknown.sort().indexOf(name));
  return OTHERS[place % OTHERS.length]![index(theme)];
}

/** How every chart looks; a specification says only what is its own. */
export function configOf(theme: Theme): Config {
  const { text, faint, line, accent } = INKS[theme];
  return {
    background: 'transparent',
    font: FONT,
    padding: 4,
    view: { stroke: null },
    axis: {
      aria: false,
      labelColor: faint,
      titleColor: faint,
      labelFontSize: 12,
      titleFontSize: 12,
      titleFontWeight: 400,
      titlePadding: 10,
      labelLimit: 460,
      domain: false,
      ticks: false,
      labelPadding: 6,
      gridColor: line,
    },
    axisY: { titleAngle: 0, titleAlign: 'left', titleAnchor: 'start', titleY: -14, titleX: 0 },
    legend: {
      aria: false,
      orient: 'top',
      title: null,
      labelColor: text,
      labelFontSize: 12,
      symbolType: 'square',
      symbolSize: 110,
      offset: 12,
      labelLimit: 260,
    },
    header: {
      labelColor: text,
      labelFontSize: 12,
      labelFontWeight: 600,
      labelAnchor: 'start',
      labelPadding: 6,
      labelLimit: 400,
      title: null,
    },
    text: { color: text, fontSize: 12 },
    rule: { color: faint },
    point: { filled: true, size: 64, color: accent },
    line: { strokeWidth: 2 },
  };
}
