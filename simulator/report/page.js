"use strict";
// Draws the charts of this page. Everything that they need stands in it; nothing is fetched.
(() => {
  const given = JSON.parse(document.getElementById("charts").textContent);
  const mark = document.documentElement.dataset;
  const rowsOf = {};
  let views = {};

  /** The rows of a table that is kept by columns; a column of few values as those and their numbers. */
  function rows(name) {
    if (!(name in rowsOf)) {
      const { length, columns } = given.tables[name];
      const values = Object.entries(columns).map(([key, column]) =>
        [key, Array.isArray(column) ? column : column.numbers.map((number) => column.values[number])]);
      rowsOf[name] = Array.from({ length }, (_, k) => Object.fromEntries(values.map(([key, column]) => [key, column[k]])));
    }
    return rowsOf[name];
  }

  /** A specification whose legends have as many columns as this screen has room for. */
  function fitted(part, width) {
    if (Array.isArray(part)) return part.map((inner) => fitted(inner, width));
    if (part === null || typeof part !== "object") return part;
    const made = Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, fitted(inner, width)]));
    const names = made.scale?.domain;
    if (made.legend?.columns && Array.isArray(names)) {
      const room = Math.max(120, width - 70), longest = Math.max(...names.map((name) => String(name).length));
      const columns = Math.max(1, Math.min(names.length, Math.floor(room / (6.3 * longest + 34))));
      made.legend = { ...made.legend, columns, labelLimit: room - 30 };
    }
    return made;
  }

  /** What the reader has chosen in a chart, to keep it when the chart is drawn anew. */
  function chosen(view, spec) {
    const values = {};
    for (const { name, bind } of spec.params ?? []) {
      if (view && bind?.input === "select") values[name] = view.signal(name);
    }
    return values;
  }

  function draw(name, { spec, tables, share }) {
    const place = document.getElementById(`chart-${name}`), width = place.clientWidth;
    const kept = chosen(views[name], spec);
    const whole = { ...fitted(spec, width), datasets: Object.fromEntries(tables.map((table) => [table, rows(table)])) };
    if (share) whole.height = Math.round(width * share);
    views[name]?.finalize();
    return vegaEmbed(place, whole, {
      mode: "vega-lite", renderer: "svg", ast: true, config: given.config, downloadFileName: name,
      actions: { export: { svg: true, png: true }, source: false, compiled: false, editor: false },
      loader: { load: () => Promise.reject(new Error("this page fetches nothing")) },
    }).then(({ view }) => {
      views[name] = view;
      Object.entries(kept).forEach(([key, value]) => view.signal(key, value));
      for (const key of given.shared.filter((key) => (spec.params ?? []).some((param) => param.name === key))) {
        view.addSignalListener(key, (_, value) => follow(key, value));
      }
      return view.runAsync();
    });
  }

  /** A choice that several charts offer, such as the policy, is made for the whole page. */
  function follow(key, value) {
    for (const [name, view] of Object.entries(views)) {
      const has = (given.charts[name].spec.params ?? []).some((param) => param.name === key);
      if (has && view.signal(key) !== value) view.signal(key, value).runAsync();
    }
  }

  /** Draws all charts; the page says how many there are when they are done. */
  function drawAll() {
    const drawn = Object.entries(given.charts).map(([name, chart]) => draw(name, chart));
    return Promise.all(drawn)
      .then((all) => { mark.charts = all.length; })
      .catch((error) => { console.error(error); mark.failed = String(error); });
  }

  let width = document.body.clientWidth, waiting = 0;
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      if (document.body.clientWidth !== width) { width = document.body.clientWidth; drawAll(); }
    }, 200);
  });
  drawAll();
})();
