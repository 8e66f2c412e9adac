"use strict";
// Draws the charts of this page. Everything that they need stands in it.
(() => {
  const given = JSON.parse(document.getElementById("charts").textContent);
  const rowsOf = {};

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

  /** All charts show the same policy: whoever chooses one chooses it for the page. */
  function follow(views) {
    for (const name of given.shared) {
      const those = views.filter((view) => { try { view.signal(name); return true; } catch { return false; } });
      for (const view of those) {
        view.addSignalListener(name, (_, value) => those.forEach((other) => {
          if (other !== view && other.signal(name) !== value) other.signal(name, value).runAsync();
        }));
      }
    }
  }

  /** Legends in as many columns as this screen has room for. */
  function fitted(part, width) {
    if (Array.isArray(part)) return part.map((inner) => fitted(inner, width));
    if (part === null || typeof part !== "object") return part;
    const made = Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, key === "datasets" ? inner : fitted(inner, width)]));
    const names = made.scale?.domain;
    if (made.legend?.columns && Array.isArray(names)) {
      const room = Math.max(120, width - 70), longest = Math.max(...names.map((name) => String(name).length));
      const columns = Math.max(1, Math.min(names.length, Math.floor(room / (6.3 * longest + 34))));
      made.legend = { ...made.legend, columns, labelLimit: room - 30 };
    }
    return made;
  }

  function draw(name, { spec, tables }) {
    const place = document.getElementById(`chart-${name}`);
    const whole = { ...fitted(spec, place.clientWidth), datasets: Object.fromEntries(tables.map((table) => [table, rows(table)])) };
    return vegaEmbed(place, whole, {
      mode: "vega-lite", renderer: "svg", ast: true, config: given.config, downloadFileName: name,
      actions: { export: { svg: true, png: true }, source: false, compiled: false, editor: false },
      loader: { load: () => Promise.reject(new Error("this page fetches nothing")) },
    }).then((made) => made.view);
  }

  Promise.all(Object.entries(given.charts).map(([name, chart]) => draw(name, chart)))
    .then((views) => { follow(views); document.documentElement.dataset.charts = views.length; })
    .catch((error) => { console.error(error); document.documentElement.dataset.failed = String(error); });
})();
