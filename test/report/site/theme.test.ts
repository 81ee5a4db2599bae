/** Colours stand out from their ground, and from each other for people who see fewer of them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  colourOf,
  IMPLEMENTATION_COLOURS,
  INKS,
  ROLE_COLOURS,
  THEMES,
} from '../../../src/report/site/theme.ts';

type Triple = readonly [number, number, number];

/** G. Machado et al., "A Physiologically-based Model for Simulation of Color Vision Deficiency", 2009, severity 1. */
const SIGHTS: Readonly<Record<string, readonly Triple[]>> = {
  full: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  'without red': [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  'without green': [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
};

function linear(colour: string): Triple {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return [red!, green!, blue!];
}

function luminance(colour: string): number {
  const [red, green, blue] = linear(colour);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** WCAG 2.2, "contrast ratio". */
function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high! + 0.05) / (low! + 0.05);
}

function bend(t: number): number {
  return t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116;
}

/** CIE L*a*b*, D65. */
function lab([red, green, blue]: Triple): Triple {
  const x = bend((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047);
  const y = bend(0.2126 * red + 0.7152 * green + 0.0722 * blue);
  const z = bend((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function seenBy(sight: readonly Triple[], colour: string): Triple {
  const light = linear(colour);
  const [red, green, blue] = sight.map((row) =>
    Math.min(1, Math.max(0, row[0] * light[0] + row[1] * light[1] + row[2] * light[2])),
  );
  return lab([red!, green!, blue!]);
}

function distance(a: Triple, b: Triple): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

/** Two colours of a chart that are nearer than this are easily confused; 2.3 is just noticeable. */
const APART = 20;

for (const [theme, place] of [
  ['light', 0],
  ['dark', 1],
] as const) {
  for (const [what, colours] of [
    // A device is the sender and the receiver together, and never beside them.
    ['roles', Object.entries(ROLE_COLOURS).filter(([name]) => name !== 'device')],
    ['implementations', Object.entries(IMPLEMENTATION_COLOURS)],
  ] as const) {
    test(`${what} are told apart on ${theme}, with and without red and green`, () => {
      for (const [name, pair] of colours) {
        const ratio = contrast(pair[place], INKS[theme].ground);
        assert.ok(ratio >= 3, `${name} on its ground: ${ratio.toFixed(2)}`);
      }
      for (const [sight, matrix] of Object.entries(SIGHTS)) {
        for (const [index, [name, pair]] of colours.entries()) {
          for (const [other, otherPair] of colours.slice(index + 1)) {
            const apart = distance(seenBy(matrix, pair[place]), seenBy(matrix, otherPair[place]));
            assert.ok(apart >= APART, `${name} and ${other}, ${sight}: ${apart.toFixed(1)}`);
          }
        }
      }
    });
  }

  test(`text on ${theme} has the contrast of WCAG AA`, () => {
    const { ground, text, faint, accent } = INKS[theme];
    for (const ink of [text, faint, accent]) assert.ok(contrast(ink, ground) >= 4.5, ink);
  });
}

test('a colour belongs to its implementation, whatever else is in the chart', () => {
  for (const theme of THEMES) {
    const alone = colourOf('noble', ['noble'], theme);
    assert.equal(colourOf('noble', ['native', 'a-library', 'noble'], theme), alone);
  }
  assert.notEqual(colourOf('a', ['a', 'b'], 'light'), colourOf('b', ['a', 'b'], 'light'));
  assert.match(colourOf('constructor', ['constructor'], 'light'), /^#[0-9a-f]{6}$/);
});
