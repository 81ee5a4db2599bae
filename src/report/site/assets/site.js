'use strict';
// The interactive layer: filters, comparison, tooltips, theme. Everything it shows is in the page
// already, so a page without it says the same. State is in the address, behind the #.
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
(() => {
  const root = document.documentElement;
  root.classList.add('scripted');
  const FACETS = ['family', 'implementation', 'workload', 'role'];

  /** What alone is shown, by facet; all where there is nothing. And what each matrix is compared with. */
  const state = { only: new Map(FACETS.map((facet) => [facet, new Set()])), base: new Map() };
  const defaults = new Map(
    all('select[data-matrix]').map((select) => [select.dataset.matrix, select.value]),
  );

  function readAddress() {
    const given = new URLSearchParams(location.hash.slice(1));
    for (const facet of FACETS) state.only.set(facet, new Set(given.getAll(facet)));
    state.base = new Map();
    for (const [id, usual] of defaults) state.base.set(id, given.get(`base-${id}`) ?? usual);
  }

  function writeAddress() {
    const next = new URLSearchParams();
    for (const [facet, values] of state.only) for (const value of values) next.append(facet, value);
    for (const [id, base] of state.base)
      if (base !== defaults.get(id)) next.append(`base-${id}`, base);
    const text = next.toString();
    history.replaceState(null, '', location.href.split('#')[0] + (text === '' ? '' : `#${text}`));
  }

  const filtered = (element) =>
    FACETS.some((facet) => {
      const value = element.getAttribute(`data-${facet}`);
      const only = state.only.get(facet);
      return value !== null && only.size > 0 && !only.has(value);
    });

  function show() {
    for (const chip of all('.chip')) {
      const isChosen = state.only.get(chip.dataset.facet).has(chip.dataset.value);
      chip.setAttribute('aria-pressed', String(isChosen));
    }
    for (const choice of all('select[data-choice]')) {
      choice.value = [...state.only.get(choice.dataset.choice)][0] ?? '';
    }
    let hidden = 0;
    const rows = all('tbody tr');
    for (const row of rows) {
      const isOut = filtered(row);
      row.classList.toggle('out', isOut);
      if (isOut) hidden += 1;
    }
    for (const mark of all('.mark')) mark.classList.toggle('out', filtered(mark));
    const reset = document.getElementById('reset');
    if (reset !== null) reset.hidden = ![...state.only.values()].some((values) => values.size > 0);
    const shown = document.getElementById('shown');
    if (shown !== null)
      shown.textContent = `${rows.length - hidden} of ${rows.length} rows are shown`;
    for (const [id, base] of state.base) compare(id, base);
  }

  const ratios = new Map();
  function ratiosOf(id) {
    if (!ratios.has(id))
      ratios.set(id, JSON.parse(document.getElementById(`${id}-ratios`).textContent));
    return ratios.get(id);
  }

  /** Factors to the line or column `base`; '' brings back the best of each. */
  function compare(id, base) {
    const matrix = document.getElementById(id);
    const select = all('select[data-matrix]', matrix)[0];
    if (!all('option', select).some((option) => option.value === base)) return;
    select.value = base;
    all('tbody tr', matrix).forEach((row, line) => {
      all('td', row).forEach((cell, column) => {
        const factor = cell.querySelector('.factor');
        if (factor === null) return;
        const found =
          base === ''
            ? best(id, matrix, line, column)
            : ratiosOf(id)[`${line}:${column}`]?.[Number(base)];
        factor.textContent = found?.[0] ?? '';
        cell.className = `n ${found?.[1] ?? 'none'}`;
      });
    });
  }

  /** The one of the candidates that none is cheaper than. */
  function best(id, matrix, line, column) {
    const bests = JSON.parse(matrix.dataset.bests);
    const index = matrix.dataset.best === 'column' ? bests[column] : bests[line];
    return index === null ? undefined : ratiosOf(id)[`${line}:${column}`]?.[index];
  }

  // Tooltips: by pointer, and by arrow keys within a chart that has the focus.
  const tip = document.getElementById('tip');
  let at = null;
  function point(mark, x, y) {
    if (at !== null) at.classList.remove('at');
    at = mark;
    tip.hidden = mark === null;
    if (mark === null) return;
    mark.classList.add('at');
    tip.textContent = mark.getAttribute('aria-label');
    const box = mark.getBoundingClientRect();
    const left = (x ?? box.right) + 12;
    const top = (y ?? box.top) + 12;
    const width = tip.offsetWidth;
    const height = tip.offsetHeight;
    const place = [
      Math.max(8, Math.min(left, innerWidth - width - 8)),
      top + height > innerHeight - 8 ? Math.max(8, top - height - 24) : top,
    ];
    // Through the object model, which a policy on styles leaves alone.
    tip.style.setProperty('left', `${place[0]}px`);
    tip.style.setProperty('top', `${place[1]}px`);
  }
  for (const plot of all('.plot')) {
    plot.addEventListener('pointermove', (event) => {
      const mark = event.target.closest('.mark');
      point(
        mark === null || mark.classList.contains('out') ? null : mark,
        event.clientX,
        event.clientY,
      );
    });
    plot.addEventListener('pointerleave', () => point(null));
    plot.addEventListener('blur', () => point(null));
    plot.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === 'Escape') point(null);
      if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
      const marks = all('.mark:not(.out)', plot);
      if (marks.length === 0) return;
      event.preventDefault();
      const now = marks.indexOf(at);
      const next = now === -1 ? (step === 1 ? 0 : marks.length - 1) : now + step;
      point(marks[Math.max(0, Math.min(marks.length - 1, next))]);
    });
  }
  addEventListener('scroll', () => point(null), { passive: true });

  const theme = document.getElementById('theme');
  const isDark = () =>
    (root.dataset.theme ??
      (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
  const showTheme = () => theme.setAttribute('aria-pressed', String(isDark()));
  const stored = (() => {
    try {
      return localStorage.getItem('sealbench-theme');
    } catch {
      return null;
    }
  })();
  if (stored === 'light' || stored === 'dark') root.dataset.theme = stored;
  theme.addEventListener('click', () => {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    try {
      localStorage.setItem('sealbench-theme', root.dataset.theme);
    } catch {
      // A browser that stores nothing forgets the choice.
    }
    showTheme();
  });
  showTheme();

  document.addEventListener('click', (event) => {
    const chip = event.target.closest('.chip');
    if (chip !== null) {
      const values = state.only.get(chip.dataset.facet);
      if (!values.delete(chip.dataset.value)) values.add(chip.dataset.value);
    } else if (event.target.id === 'reset') {
      for (const values of state.only.values()) values.clear();
    } else return;
    show();
    writeAddress();
  });
  document.addEventListener('change', (event) => {
    const { matrix, choice } = event.target.dataset ?? {};
    const { value } = event.target;
    if (matrix !== undefined) state.base.set(matrix, value);
    else if (choice !== undefined) state.only.set(choice, new Set(value === '' ? [] : [value]));
    else return;
    show();
    writeAddress();
  });
  addEventListener('hashchange', () => {
    // A link to a place in the page says nothing about filters.
    if (location.hash !== '' && !location.hash.includes('=')) return;
    readAddress();
    show();
  });
  readAddress();
  show();
})();
