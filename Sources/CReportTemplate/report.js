"use strict";
// Draws the report from the JSON in #data. Everything that comes from files (labels, paths, reasons) is set as text, never
// as HTML. Nothing is fetched.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { labels, report } = data;
  const counts = report.confusion.counts;
  const byId = (id) => document.getElementById(id);

  // ---- Small helpers

  const number = (value) => value.toLocaleString("en");
  const percent = (value, digits = 1) => (value == null ? "–" : (100 * value).toFixed(digits) + "%");
  const decimal = (value, digits = 3) => (value == null ? "–" : value.toFixed(digits));
  const files = (count) => `${number(count)} ${count === 1 ? "file" : "files"}`;
  const natural = new Intl.Collator("en", { numeric: true }).compare;

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    return fill(element, attributes, children);
  }
  function draw(tag, attributes = {}, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    return fill(element, attributes, children);
  }
  function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value != null) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child != null));
    return element;
  }
  function bytes(base64) {
    const text = atob(base64);
    const result = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) result[i] = text.charCodeAt(i);
    return result;
  }
  const words = (base64) => new Uint16Array(bytes(base64).buffer);

  // ---- The files, in arrays

  const list = (() => {
    const packed = data.files;
    const paths = new Array(packed.paths.length);
    let before = "";
    packed.paths.forEach((entry, index) => {
      const colon = entry.indexOf(":");
      before = before.slice(0, parseInt(entry.slice(0, colon), 36)) + entry.slice(colon + 1);
      paths[index] = before;
    });
    return {
      paths,
      truth: words(packed.truth),
      predicted: words(packed.predicted),
      confidence: packed.confidence && words(packed.confidence),
      second: packed.second && words(packed.second),
      secondConfidence: packed.secondConfidence && words(packed.secondConfidence),
      milliseconds: new Uint32Array(bytes(packed.milliseconds).buffer),
      groups: packed.groups.map((group) => new Uint32Array(bytes(group.index).buffer)),
      groupValues: packed.groups.map((group) => group.values),
    };
  })();
  const share = (word) => word / 65535;

  // ---- Theme

  (() => {
    const button = byId("theme");
    const names = { auto: "Auto", light: "Light", dark: "Dark" };
    const order = ["auto", "light", "dark"];
    let theme = "auto";
    try { theme = localStorage.getItem("auricle-theme") || "auto"; } catch { /* no storage for this page */ }
    const show = () => {
      if (theme === "auto") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = theme;
      button.textContent = names[theme];
      button.setAttribute("aria-label", `Colours: ${theme === "auto" ? "as the system has them" : theme}`);
    };
    if (!order.includes(theme)) theme = "auto";
    show();
    button.addEventListener("click", () => {
      theme = order[(order.indexOf(theme) + 1) % order.length];
      try { localStorage.setItem("auricle-theme", theme); } catch { /* no storage for this page */ }
      show();
    });
  })();

  // ---- Summary

  const total = counts.reduce((sum, row) => sum + row.reduce((a, b) => a + b, 0), 0);
  const correct = counts.reduce((sum, row, index) => sum + row[index], 0);
  {
    byId("title").textContent = data.title;
    byId("subtitle").textContent = data.subtitle;
    byId("accuracy").textContent = percent(report.accuracy, report.accuracy === 1 ? 0 : 1);
    byId("accuracy-note").textContent =
      `${number(correct)} of ${files(total)} right. The accuracy on files like these lies, with 95% confidence, between ` +
      `${percent(report.interval.lower)} and ${percent(report.interval.upper)}.`;
    byId("accuracy-interval").append(intervalBar(report.accuracy, report.interval));

    const scores = report.scores;
    const tiles = [
      ["Balanced accuracy", percent(report.balancedAccuracy)],
      ["Mean F1", decimal(report.macroMean.f1)],
      ["Cohen’s kappa", decimal(report.cohenKappa)],
      ["Matthews correlation", decimal(report.matthewsCorrelation)],
    ];
    if (scores) {
      for (const top of scores.topAccuracy.slice(0, 2)) {
        tiles.push([`Among the first ${top.k}`, percent(top.accuracy)]);
      }
      tiles.push(["ROC AUC", decimal(scores.macroROCAUC)], ["Average precision", decimal(scores.macroAveragePrecision)],
        ["Log loss", decimal(scores.logLoss)], ["Calibration error", percent(scores.expectedCalibrationError)]);
    }
    for (const [name, value] of tiles) {
      byId("tiles").append(make("div", {}, make("dt", {}, name), make("dd", {}, value)));
    }

    const pairs = [];
    counts.forEach((row, truth) => row.forEach((count, predicted) => {
      if (truth !== predicted && count) pairs.push({ truth, predicted, count, of: row.reduce((a, b) => a + b, 0) });
    }));
    pairs.sort((a, b) => b.count - a.count || a.truth - b.truth || a.predicted - b.predicted);
    byId("confusions").hidden = pairs.length === 0;
    for (const pair of pairs.slice(0, 10)) {
      byId("confusion-list").append(make("li", {}, make("button", {
        type: "button",
        onclick: () => chooseCell(pair.truth, pair.predicted),
      }, make("b", {}, labels[pair.truth]), " taken for ", make("b", {}, labels[pair.predicted]),
      make("small", {}, `in ${number(pair.count)} of ${files(pair.of)}, ${percent(pair.count / pair.of)}`))));
    }

    if (report.failed > 0) {
      const box = byId("failures");
      box.hidden = false;
      box.querySelector("summary").textContent = `${files(report.failed)} could not be read and ${report.failed === 1 ? "does" : "do"} not count`;
      for (const failure of data.failures) {
        // The reason as a rule begins with the path.
        const text = failure.reason.startsWith(failure.path) ? failure.reason : `${failure.path}: ${failure.reason}`;
        box.querySelector("ul").append(make("li", {}, text));
      }
      if (report.failed > data.failures.length) {
        box.querySelector("ul").append(make("li", {}, `and ${number(report.failed - data.failures.length)} more`));
      }
    }
  }

  function intervalBar(value, interval) {
    const x = (share) => 4 + 292 * share;
    const picture = draw("svg", {
      viewBox: "0 0 300 34", role: "img", "aria-label": `${percent(value)}, interval ${percent(interval.lower)} to ${percent(interval.upper)}`,
    });
    picture.append(
      draw("line", { class: "axis", x1: x(0), x2: x(1), y1: 10, y2: 10, "stroke-width": 2 }),
      draw("line", { class: "line", x1: x(interval.lower), x2: x(interval.upper), y1: 10, y2: 10, "stroke-width": 6, "stroke-linecap": "round" }),
      draw("circle", { class: "dot", cx: x(value), cy: 10, r: 4 }),
      draw("text", { x: x(0), y: 31 }, "0%"), draw("text", { x: x(1), y: 31, "text-anchor": "end" }, "100%"));
    return picture;
  }

  // ---- Confusion matrix

  const rowSums = counts.map((row) => row.reduce((a, b) => a + b, 0));
  const columnSums = labels.map((_, column) => counts.reduce((sum, row) => sum + row[column], 0));
  const divisors = {
    none: () => 1,
    truth: (row) => rowSums[row],
    prediction: (row, column) => columnSums[column],
    all: () => total,
  };
  let chosenCell = null;

  function matrixOrder() {
    const order = labels.map((_, index) => index);
    const by = {
      class: (a, b) => natural(labels[a], labels[b]),
      support: (a, b) => rowSums[b] - rowSums[a],
      confusion: (a, b) => rowSums[b] + columnSums[b] - 2 * counts[b][b] - (rowSums[a] + columnSums[a] - 2 * counts[a][a]),
    }[byId("matrix-order").value];
    return by ? order.sort((a, b) => by(a, b) || a - b) : order;
  }

  function drawMatrix() {
    const values = byId("matrix-values").value;
    const order = matrixOrder();
    const dense = labels.length > 30;
    const strongest = values === "all" ? Math.max(...counts.flat()) / total : 1;
    const table = byId("matrix");
    // A few classes fit beside their names even on a narrow screen, many on the whole width of a wide one.
    const wide = labels.length > 60;
    const longest = Math.min(24, Math.max(...labels.map((label) => label.length)));
    const fit = (names, least, most) =>
      `clamp(${least}rem, calc((100vw - ${names.toFixed(1)}rem) / ${labels.length} - 1px), ${most}rem)`;
    table.style.setProperty("--cell", wide ? fit(longest * 0.34 + 5, 0.62, 0.95)
      : dense ? "0.95rem" : labels.length > 12 ? "2.1rem" : fit(longest * 0.55 + 3.5, 1.7, labels.length <= 4 ? 5 : 3));
    table.classList.toggle("dense", dense);
    table.parentElement.classList.toggle("wide", wide);
    const upright = order.some((index) => labels[index].length > (labels.length <= 12 ? 5 : 3));
    const every = wide ? 2 : 1;
    const head = make("tr", {}, make("td", { "aria-hidden": "true", class: "corner" }));
    order.forEach((column, place) => {
      head.append(make("th", { scope: "col", class: upright || dense ? "upright" : null },
        make("span", { class: place % every ? "unseen" : null }, shorten(labels[column]))));
    });
    const body = make("tbody");
    order.forEach((row, place) => {
      const line = make("tr", {}, make("th", { scope: "row" }, shorten(labels[row])));
      for (const column of order) {
        const count = counts[row][column];
        const divisor = divisors[values === "none" ? "truth" : values](row, column);
        const part = divisor ? count / divisor : 0;
        const text = !count ? "" : values === "none" ? number(count) : part < 0.0005 ? "<0.1" : (100 * part).toFixed(part < 0.0995 ? 1 : 0);
        const cellElement = make("td", { role: "gridcell", tabindex: -1, "aria-label": cellText(row, column) }, text);
        cellElement.dataset.row = row;
        cellElement.dataset.column = column;
        if (count) {
          const shade = strongest ? part / strongest : 0;
          cellElement.className = (row === column ? "right" : "wrong") + (shade > 0.87 ? " full" : shade > 0.57 ? " half" : "");
          cellElement.style.setProperty("--share", shade.toFixed(3));
        }
        line.append(cellElement);
      }
      body.append(line);
    });
    table.replaceChildren(make("thead", {}, head), body);
    table.style.setProperty("--names", `${body.querySelector("th")?.offsetWidth ?? 0}px`);
    markChosen();
  }

  // The cell whose files are listed, or the first, is the one that the tab key comes to.
  function markChosen() {
    const table = byId("matrix");
    table.querySelector("td.chosen")?.classList.remove("chosen");
    const before = table.querySelector('td[tabindex="0"]');
    const chosen = chosenCell && table.querySelector(`td[data-row="${chosenCell[0]}"][data-column="${chosenCell[1]}"]`);
    chosen?.classList.add("chosen");
    const next = chosen ?? before ?? table.querySelector("tbody td");
    if (before) before.tabIndex = -1;
    if (next) next.tabIndex = 0;
  }

  const shorten = (label) => (label.length > 24 ? label.slice(0, 23) + "…" : label);

  function cellText(row, column) {
    const count = counts[row][column];
    const what = row === column ? `${labels[row]}, rightly heard` : `${labels[row]} taken for ${labels[column]}`;
    if (!count) return `${what}: never`;
    return `${what}: ${files(count)}, ${percent(count / rowSums[row])} of ${labels[row]}, ` +
      `${percent(count / columnSums[column])} of what was called ${labels[column]}`;
  }

  function cellOf(event) {
    const cell = event.target.closest("#matrix tbody td");
    return cell && [Number(cell.dataset.row), Number(cell.dataset.column), cell];
  }

  byId("matrix").addEventListener("mouseover", (event) => {
    const cell = cellOf(event);
    if (cell) byId("matrix-note").textContent = cellText(cell[0], cell[1]);
  });
  byId("matrix").addEventListener("focusin", (event) => {
    const cell = cellOf(event);
    if (cell) byId("matrix-note").textContent = cellText(cell[0], cell[1]);
  });
  byId("matrix").addEventListener("click", (event) => {
    const cell = cellOf(event);
    if (cell && counts[cell[0]][cell[1]]) chooseCell(cell[0], cell[1]);
  });
  byId("matrix").addEventListener("keydown", (event) => {
    const cell = cellOf(event);
    if (!cell) return;
    const [row, column, element] = cell;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (counts[row][column]) chooseCell(row, column);
      return;
    }
    const line = element.parentElement;
    const place = element.cellIndex;
    const target = {
      ArrowLeft: () => line.cells[place - 1],
      ArrowRight: () => line.cells[place + 1],
      ArrowUp: () => line.previousElementSibling?.cells[place],
      ArrowDown: () => line.nextElementSibling?.cells[place],
      Home: () => line.cells[1],
      End: () => line.cells[line.cells.length - 1],
    }[event.key]?.();
    if (target && target.tagName === "TD") {
      event.preventDefault();
      element.tabIndex = -1;
      target.tabIndex = 0;
      target.focus();
    }
  });
  byId("matrix-values").addEventListener("change", drawMatrix);
  byId("matrix-order").addEventListener("change", drawMatrix);

  function chooseCell(truth, predicted) {
    chosenCell = [truth, predicted];
    markChosen();
    filter = {
      text: truth === predicted ? `${labels[truth]}, rightly heard` : `${labels[truth]} taken for ${labels[predicted]}`,
      keeps: (file) => list.truth[file] === truth && list.predicted[file] === predicted,
    };
    byId("file-kind").value = "all";
    showFiles(true);
  }

  // ---- Files

  const pageSize = 12;
  const hasPictures = Object.keys(data.spectrograms).length > 0;
  let filter = null;
  let shown = [];
  let page = 0;

  function showFiles(scroll = false) {
    const kind = byId("file-kind").value;
    const search = byId("file-search").value.toLowerCase();
    shown = [];
    for (let file = 0; file < list.paths.length; file++) {
      const right = list.truth[file] === list.predicted[file];
      if (kind === "wrong" && right || kind === "right" && !right) continue;
      if (filter && !filter.keeps(file)) continue;
      if (search && !list.paths[file].toLowerCase().includes(search)) continue;
      shown.push(file);
    }
    const confidence = (file) => list.confidence?.[file] ?? 0;
    const isRight = (file) => list.truth[file] === list.predicted[file];
    const by = {
      // The surest mistakes first, then the least sure of the right answers: those that have a spectrogram.
      mistakes: (a, b) => isRight(a) - isRight(b) || (isRight(a) ? 1 : -1) * (confidence(a) - confidence(b)),
      sure: (a, b) => confidence(b) - confidence(a),
      unsure: (a, b) => confidence(a) - confidence(b),
      long: (a, b) => list.milliseconds[b] - list.milliseconds[a],
    }[byId("file-order").value];
    if (by) shown.sort((a, b) => by(a, b) || a - b);
    page = 0;
    byId("file-note").textContent = `${filter ? filter.text + ": " : ""}${files(shown.length)}`;
    byId("file-clear").hidden = !filter && !search && kind === "all";
    showPage();
    if (scroll) {
      byId("files").scrollIntoView();
      byId("files-title").focus({ preventScroll: true });
    }
  }

  function showPage() {
    const pages = Math.max(1, Math.ceil(shown.length / pageSize));
    page = Math.min(Math.max(page, 0), pages - 1);
    byId("page-note").textContent = `Page ${number(page + 1)} of ${number(pages)}`;
    for (const id of ["page-first", "page-back"]) byId(id).disabled = page === 0;
    for (const id of ["page-next", "page-last"]) byId(id).disabled = page === pages - 1;
    // A button that has the focus and is disabled would lose it to nothing.
    if (document.activeElement?.disabled) byId(page === 0 ? "page-next" : "page-back").focus();
    const body = make("tbody");
    for (const file of shown.slice(page * pageSize, (page + 1) * pageSize)) body.append(fileRow(file));
    const head = [...(hasPictures ? ["Mel spectrogram"] : []), "File", "Truth and answer", list.confidence ? "Probability" : "", "Length", "Sound"];
    const table = make("table", {}, make("caption", { class: "unseen" }, "Files"),
      make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))), body);
    // On a narrow screen rows are laid out as blocks, and would no longer be rows to a screen reader.
    for (const [tags, role] of [["thead, tbody", "rowgroup"], ["tr", "row"], ["th", "columnheader"], ["td", "cell"]]) {
      for (const element of table.querySelectorAll(tags)) element.setAttribute("role", role);
    }
    table.setAttribute("role", "table");
    table.classList.toggle("bare", !hasPictures);
    byId("file-list").replaceChildren(shown.length ? table : make("p", {}, "No file is like that."));
  }

  function fileRow(file) {
    const path = list.paths[file];
    const folder = path.lastIndexOf("/") + 1;
    const right = list.truth[file] === list.predicted[file];
    const address = data.audio[file] || (/^\//.test(path) ? "" : data.audioPrefix) + path.split("/").map(encodeURIComponent).join("/");
    const answer = make("td", { class: "answer" }, labels[list.truth[file]]);
    if (right) answer.append(make("span", { class: "yes" }, " ✓"), make("span", { class: "unseen" }, " right"));
    else answer.append(make("span", { class: "no" }, " → " + labels[list.predicted[file]]), make("span", { class: "unseen" }, " wrong"));
    const probability = make("td", { class: `probability ${right ? "yes" : "no"}` });
    if (list.confidence) {
      const value = share(list.confidence[file]);
      probability.append(percent(value), make("span", { class: "meter" }, make("i", { style: `width: ${100 * value}%` })));
      if (list.second && labels.length > 1) {
        probability.title = `next: ${labels[list.second[file]]}, ${percent(share(list.secondConfidence[file]))}`;
        probability.append(make("small", {}, `then ${shorten(labels[list.second[file]])}: ${percent(share(list.secondConfidence[file]))}`));
      }
    }
    const player = make("audio", { controls: true, preload: "none", "aria-label": `Play ${path}` });
    player.src = address;
    const sound = make("td", { class: "sound" }, player);
    player.addEventListener("error", () => {
      if (player.error) sound.replaceChildren(make("span", { class: "soft" }, "cannot be played here"));
    });
    return make("tr", {},
      hasPictures ? make("td", { class: "picture" }, spectrogram(file)) : null,
      make("td", { class: "path" }, path.slice(folder), folder ? make("small", {}, path.slice(0, folder)) : null),
      answer, probability,
      make("td", { class: "soft length" }, list.milliseconds[file] ? (list.milliseconds[file] / 1000).toFixed(2) + " s" : ""),
      sound);
  }

  // Black to violet to orange to pale yellow, even to the eye (the stops of matplotlib's inferno).
  const colors = (() => {
    const stops = ["#000004", "#1b0c41", "#4a0c6b", "#781c6d", "#a52c60", "#cf4446", "#ed6925", "#fb9b06", "#f7d13d", "#fcffa4"]
      .map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
    const table = new Uint8ClampedArray(256 * 4);
    for (let value = 0; value < 256; value++) {
      const position = value / 255 * (stops.length - 1);
      const lower = Math.min(Math.floor(position), stops.length - 2);
      for (let part = 0; part < 3; part++) {
        table[4 * value + part] = stops[lower][part] + (stops[lower + 1][part] - stops[lower][part]) * (position - lower);
      }
      table[4 * value + 3] = 255;
    }
    return table;
  })();

  function spectrogram(file) {
    const packed = data.spectrograms[file];
    if (!packed) return make("p", { class: "none" }, "not in this report");
    const levels = bytes(packed);
    const height = data.spectrogramHeight;
    const width = levels.length / height;
    const canvas = make("canvas", { width, height, role: "img", "aria-label": "Mel spectrogram, low frequencies below, 80 dB" });
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    for (let index = 0; index < levels.length; index++) {
      image.data.set(colors.subarray(4 * levels[index], 4 * levels[index] + 4), 4 * index);
    }
    context.putImageData(image, 0, 0);
    return canvas;
  }

  byId("page-first").addEventListener("click", () => { page = 0; showPage(); });
  byId("page-back").addEventListener("click", () => { page -= 1; showPage(); });
  byId("page-next").addEventListener("click", () => { page += 1; showPage(); });
  byId("page-last").addEventListener("click", () => { page = Infinity; showPage(); });
  byId("file-kind").addEventListener("change", () => showFiles());
  byId("file-order").addEventListener("change", () => showFiles());
  byId("file-search").addEventListener("input", () => showFiles());
  byId("file-clear").addEventListener("click", () => {
    filter = null;
    chosenCell = null;
    byId("file-kind").value = "all";
    byId("file-search").value = "";
    markChosen();
    showFiles();
    byId("files-title").focus();
  });
  if (!list.confidence) for (const value of ["sure", "unsure"]) byId("file-order").querySelector(`[value=${value}]`).remove();

  // ---- Charts

  // A frame of 420 x 260 with axes from 0 to 1 unless told otherwise; `at` turns values into its coordinates.
  function chart(label, { xTitle, yTitle, xTicks = [0, 0.2, 0.4, 0.6, 0.8, 1], yMax = 1, xText = (x) => percent(x, 0), yText = (y) => percent(y, 0) }) {
    const [xMin, xMax] = [xTicks[0], xTicks[xTicks.length - 1]];
    const widest = Math.max(...[0, 1, 2, 3, 4].map((step) => yText(yMax * step / 4).length));
    const [left, right, top, bottom] = [22 + 7.5 * widest, 412, 10, 222];
    const at = (x, y) => [left + (right - left) * (x - xMin) / (xMax - xMin || 1), bottom - (bottom - top) * y / (yMax || 1)];
    const picture = draw("svg", { viewBox: "0 0 420 262", role: "img", "aria-label": label });
    for (let step = 0; step <= 4; step++) {
      const y = yMax * step / 4;
      picture.append(draw("line", { class: "axis", x1: left, x2: right, y1: at(xMin, y)[1], y2: at(xMin, y)[1] }),
        draw("text", { x: left - 6, y: at(xMin, y)[1] + 4, "text-anchor": "end" }, yText(y)));
    }
    xTicks.forEach((x, place) => picture.append(draw("text", {
      x: at(x, 0)[0], y: bottom + 16, "text-anchor": place === 0 ? "start" : place === xTicks.length - 1 ? "end" : "middle",
    }, xText(x))));
    picture.append(draw("text", { x: (left + right) / 2, y: bottom + 36, "text-anchor": "middle" }, xTitle));
    if (yTitle) picture.append(draw("text", { x: 10, y: (top + bottom) / 2, "text-anchor": "middle", transform: `rotate(-90 6 ${(top + bottom) / 2})` }, yTitle));
    return { picture, at };
  }
  const box = (from, to, attributes) => draw("rect", {
    x: Math.min(from[0], to[0]), y: Math.min(from[1], to[1]),
    width: Math.max(0, Math.abs(to[0] - from[0])), height: Math.abs(to[1] - from[1]), ...attributes,
  });
  const path = (points, attributes) => draw("path", { d: points.map((point, i) => `${i ? "L" : "M"}${point[0].toFixed(1)} ${point[1].toFixed(1)}`).join(""), ...attributes });
  const key = (...entries) => make("ul", { class: "key" }, ...entries.map(([text, style]) => make("li", {}, make("i", { class: style }), text)));
  // What a picture shows, for those who do not see it or want the numbers.
  const asTable = (head, rows) => make("details", {}, make("summary", {}, "As a table"),
    make("div", { class: "scroll" }, make("table", { class: "numbers" },
      make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))),
      make("tbody", {}, ...rows.map(([first, ...rest]) =>
        make("tr", {}, make("th", { scope: "row" }, first), ...rest.map((text) => make("td", {}, text))))))));

  if (report.scores) {
    byId("certainty").hidden = false;
    drawReliability();
    drawHistogramChoice();
    drawThreshold();
  }

  function drawReliability() {
    const bins = report.scores.calibration;
    const { picture, at } = chart(`Reliability diagram; calibration error ${percent(report.scores.expectedCalibrationError)}`,
      { xTitle: "probability of the answer", yTitle: "share that is right" });
    picture.append(draw("defs", {}, draw("pattern", { id: "hatch", width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      draw("line", { x1: 0, x2: 0, y1: 0, y2: 5 }))));
    for (const bin of bins.filter((bin) => bin.files)) {
      const [from, to] = [bin.lower + 0.006, bin.upper - 0.006];
      picture.append(
        box(at(from, 0), at(to, bin.accuracy), { class: "area" }),
        box(at(from, bin.accuracy), at(to, bin.confidence), { class: "gap" }),
        box(at(bin.lower, 0), at(bin.upper, 1), { fill: "transparent" }));
      picture.lastChild.append(draw("title", {}, `${percent(bin.lower, 0)} to ${percent(bin.upper, 0)}: ${files(bin.files)}, ` +
        `${percent(bin.accuracy)} right, mean probability ${percent(bin.confidence)}`));
    }
    picture.append(path([at(0, 0), at(1, 1)], { class: "guide" }));
    byId("reliability").append(picture, key(["share that is right"], ["gap to the mean probability", "gap"]),
      asTable(["Probability", "Files", "Right", "Mean probability"], bins.map((bin) => [
        `${percent(bin.lower, 0)} to ${percent(bin.upper, 0)}`, number(bin.files), percent(bin.accuracy), percent(bin.confidence)])));
  }

  function drawHistogramChoice() {
    const choice = byId("histogram-class");
    choice.append(make("option", { value: "" }, "the answers given"));
    labels.forEach((label, index) => choice.append(make("option", { value: index }, `class ${shorten(label)}`)));
    const show = () => {
      const index = choice.value;
      const [first, second, names, note] = index === ""
        ? [data.histograms.right, data.histograms.wrong, ["right", "wrong"], "Probability of the answers given, right and wrong ones."]
        : [data.histograms.classes[index].own, data.histograms.classes[index].others, [`files of ${labels[index]}`, "other files"],
          `Probability of ${labels[index]}, in its own files and in all others.`];
      byId("histogram-note").textContent = note;
      const highest = Math.max(1, ...first, ...second);
      // Counts span orders of magnitude: a square root keeps the few visible beside the many.
      const height = (count) => Math.sqrt(count / highest);
      const { picture, at } = chart(note, {
        xTitle: "probability", yTitle: "files (square-root scale)", yText: (y) => number(Math.round(highest * y * y)),
      });
      first.forEach((count, bin) => {
        const [from, to] = [bin / first.length, (bin + 1) / first.length];
        const middle = (from + to) / 2;
        picture.append(
          box(at(from + 0.004, 0), at(middle, height(count)), { class: "area" }),
          box(at(middle, 0), at(to - 0.004, height(second[bin])), { class: "bad" }),
          box(at(from, 0), at(to, 1), { fill: "transparent" }));
        picture.lastChild.append(draw("title", {}, `${percent(from, 0)} to ${percent(to, 0)}: ${number(count)} ${names[0]}, ${number(second[bin])} ${names[1]}`));
      });
      byId("histogram").replaceChildren(picture, key([names[0]], [names[1], "second"]),
        asTable(["Probability", ...names], first.map((count, bin) => [
          `${percent(bin / first.length, 0)} to ${percent((bin + 1) / first.length, 0)}`, number(count), number(second[bin])])));
    };
    choice.addEventListener("change", show);
    show();
  }

  function drawThreshold() {
    // Right answers and all answers at or above each of 65,536 probabilities, from the top down.
    const all = new Uint32Array(65537);
    const right = new Uint32Array(65537);
    for (let file = 0; file < list.paths.length; file++) {
      all[list.confidence[file]]++;
      if (list.truth[file] === list.predicted[file]) right[list.confidence[file]]++;
    }
    for (let value = 65534; value >= 0; value--) {
      all[value] += all[value + 1];
      right[value] += right[value + 1];
    }
    const count = list.paths.length;
    const points = [];
    for (let step = 0; step <= 400; step++) {
      const value = Math.round(65535 * step / 400);
      if (all[value]) points.push([all[value] / count, right[value] / all[value]]);
    }
    // Four steps of a round height from 100% down to below the lowest point.
    const lowest = Math.min(...points.map((point) => point[1]));
    const floor = 1 - 4 * ([0.01, 0.02, 0.05, 0.1, 0.15, 0.2].find((step) => 1 - 4 * step < lowest) ?? 0.25);
    const { picture, at: place } = chart("Accuracy of the answers that are left, by how many are left", {
      xTitle: "answered files", yTitle: "accuracy of them", yText: (y) => percent(floor + y * (1 - floor), 0),
    });
    const at = (x, y) => place(x, (y - floor) / (1 - floor));
    picture.append(path(points.map((point) => at(...point)), { class: "line" }));
    const dot = draw("circle", { class: "dot", r: 5 });
    picture.append(dot);
    byId("coverage").append(picture);
    const slider = byId("threshold");
    const show = () => {
      const threshold = Number(slider.value);
      const value = Math.ceil(65535 * threshold);
      const [answered, correct] = [all[value], right[value]];
      byId("threshold-value").textContent = percent(threshold);
      slider.setAttribute("aria-valuetext", `${percent(threshold)}: ${percent(answered / count)} answered, ${answered ? percent(correct / answered) : "none"} of them right`);
      byId("threshold-tiles").replaceChildren(...[
        ["Answered", percent(answered / count)], ["Right of those", answered ? percent(correct / answered) : "–"],
        ["Unanswered", number(count - answered)],
      ].map(([name, text]) => make("div", {}, make("dt", {}, name), make("dd", {}, text))));
      const point = answered ? at(answered / count, correct / answered) : at(0, 1);
      dot.setAttribute("cx", point[0]);
      dot.setAttribute("cy", point[1]);
    };
    slider.addEventListener("input", show);
    show();
  }

  // ---- Groups

  byId("groups").hidden = report.groups.length === 0;
  report.groups.forEach((group, field) => {
    const limit = 20;
    // Where all are right none is worst.
    const worst = group.worst && group.worst.accuracy < 1 ? group.worst : null;
    const ordered = group.groups.length <= limit ? group.groups : [...group.groups].sort((a, b) => a.accuracy - b.accuracy || b.files - a.files);
    const items = ordered.map((entry) => make("li", { class: worst && worst.value === entry.value ? "worst" : null },
      make("button", {
        type: "button",
        onclick: () => {
          const value = list.groupValues[field].indexOf(entry.value);
          filter = { text: `${group.field} ${entry.value}`, keeps: (file) => list.groups[field][file] === value };
          chosenCell = null;
          markChosen();
          showFiles(true);
        },
      },
      make("span", { class: "name", title: entry.value }, entry.value),
      make("span", { class: "track", "aria-hidden": "true" }, make("b", { style: `width: ${100 * entry.accuracy}%` }),
        make("i", { style: `left: ${100 * entry.interval.lower}%; width: ${100 * (entry.interval.upper - entry.interval.lower)}%` })),
      make("span", { class: "value" }, `${percent(entry.accuracy)} of ${files(entry.files)}`))));
    const more = make("ul", {}, ...items.slice(limit));
    byId("group-list").append(make("div", { class: "group" },
      make("h3", {}, `By ${group.field}`),
      worst && make("p", { class: "soft" }, `Worst: ${worst.value}, ${percent(worst.accuracy)} of ${files(worst.files)} ` +
        `(95% interval ${percent(worst.interval.lower)} to ${percent(worst.interval.upper)}).`),
      make("ul", {}, ...items.slice(0, limit)),
      items.length > limit ? make("details", {}, make("summary", {}, `${number(items.length - limit)} groups that are as good or better`), more) : null));
  });

  // ---- Classes

  (() => {
    const rankings = report.scores && report.scores.rankings;
    const columns = [
      ["Class", (index) => report.perClass[index].label],
      ["Precision", (index) => report.perClass[index].precision],
      ["Recall", (index) => report.perClass[index].recall],
      ["F1", (index) => report.perClass[index].f1],
      ...(rankings ? [["ROC AUC", (index) => rankings[index].rocAUC ?? null], ["Avg. precision", (index) => rankings[index].averagePrecision]] : []),
      ["Files", (index) => report.perClass[index].support],
    ];
    let [sorted, descending] = [null, false];
    const table = byId("class-table");
    const text = (value, name) => (name === "Files" ? number(value) : typeof value === "string" ? value : decimal(value));
    function show() {
      const order = labels.map((_, index) => index);
      if (sorted != null) {
        const value = columns[sorted][1];
        order.sort((a, b) => {
          const difference = sorted === 0 ? natural(value(a), value(b)) : (value(a) ?? -1) - (value(b) ?? -1);
          return (descending ? -difference : difference) || a - b;
        });
      }
      const head = make("tr", {}, ...columns.map(([name], column) => make("th", {
        scope: "col", "aria-sort": sorted === column ? (descending ? "descending" : "ascending") : null,
      }, make("button", {
        type: "button",
        onclick: () => {
          descending = sorted === column ? !descending : false;
          sorted = column;
          show();
          table.tHead.rows[0].cells[column].firstChild.focus();
        },
      }, name + (sorted === column ? (descending ? " ↓" : " ↑") : "")))));
      const body = make("tbody", {}, ...order.map((index) => make("tr", {}, make("th", { scope: "row", title: labels[index] }, shorten(labels[index])),
        ...columns.slice(1).map(([name, value]) => make("td", {}, text(value(index), name))))));
      const scores = report.scores;
      const mean = (name, values, ranks) => make("tr", {}, make("th", { scope: "row" }, name),
        ...[values.precision, values.recall, values.f1, ...(scores ? ranks : [])].map((value) => make("td", {}, decimal(value))), make("td", {}, number(total)));
      const foot = make("tfoot", {},
        mean("Mean of the classes", report.macroMean, scores && [scores.macroROCAUC, scores.macroAveragePrecision]),
        mean("Mean by files", report.weightedMean, scores && [scores.weightedROCAUC, scores.weightedAveragePrecision]));
      table.replaceChildren(make("caption", { class: "unseen" }, "Numbers of each class"), make("thead", {}, head), body, foot);
    }
    show();
  })();

  // ---- Training

  for (const { epochs, bestEpoch, note } of data.trainings) {
    if (epochs.length < 2) continue;
    byId("training").hidden = false;
    const columns = make("div", { class: "columns" });
    byId("trainings").append(make("p", { class: "lead" }, note), columns);
    const [start, last] = [epochs[0].number, epochs[epochs.length - 1].number];
    const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => Math.round(start + share * (last - start)));
    const curve = (title, first, second, options) => {
      const values = epochs.flatMap((epoch) => [epoch[first], epoch[second]]).filter((value) => value != null);
      const step = Math.max(...values, 1e-3) / 4;
      const power = 10 ** Math.floor(Math.log10(step));
      const yMax = options.yMax ?? 4 * power * [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((round) => round * power >= step);
      const { picture, at } = chart(`${title} per epoch`, {
        xTitle: "epoch", yTitle: title, yMax, xTicks: [...new Set(ticks)], xText: String, ...options,
      });
      if (bestEpoch) picture.append(path([at(bestEpoch, 0), at(bestEpoch, yMax)], { class: "guide" }));
      for (const [name, style] of [[first, "line"], [second, "line second"]]) {
        const points = epochs.filter((epoch) => epoch[name] != null).map((epoch) => at(epoch.number, Math.min(epoch[name], yMax)));
        if (points.length) picture.append(path(points, { class: style }));
      }
      columns.append(make("figure", {}, make("figcaption", {}, make("h3", {}, title[0].toUpperCase() + title.slice(1))), picture,
        key(["training"], ...(epochs.some((epoch) => epoch[second] != null) ? [["validation", "second"]] : [])),
        asTable(["Epoch", "Training", "Validation"],
          epochs.map((epoch) => [epoch.number, options.text(epoch[first]), options.text(epoch[second])]))));
    };
    curve("loss", "trainingLoss", "validationLoss", { yText: (y) => String(Number(y.toPrecision(3))), text: (loss) => decimal(loss, 4) });
    curve("accuracy", "trainingAccuracy", "validationAccuracy", { yMax: 1, text: (share) => percent(share) });
  }

  // ---- Sections in the bar; the rest

  for (const section of document.querySelectorAll("section[data-name]")) {
    if (!section.hidden) byId("sections").append(make("a", { href: "#" + section.id }, section.dataset.name));
  }
  drawMatrix();
  showFiles();
})();
