// What the stepper shows of a program: the drawing of the whole graph with its size, the cards around one value, rows of the table.
"use strict";
const make = (tag, name = "", text = "") => {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text) element.textContent = text;
  return element;
};

/** The drawing fits its frame unless words would get too small; then, and by keys and buttons, it is larger, and the frame scrolls. */
function zoomed(frame, svg, buttons) {
  const wide = svg.viewBox.baseVal.width;
  let chosen = null;
  const smallest = () => (frame.clientWidth > 600 ? 0.75 : 0.85);
  const fit = () => Math.min(1, (frame.clientWidth - 2) / wide);
  const size = () => chosen ?? Math.max(smallest(), fit());
  const apply = () => {
    svg.style.width = `${Math.floor(wide * size())}px`;
    buttons.fit.textContent = `${Math.round(100 * size())} %`;
  };
  const change = (to) => {
    const x = (frame.scrollLeft + frame.clientWidth / 2) / svg.clientWidth, y = (frame.scrollTop + frame.clientHeight / 2) / svg.clientHeight;
    chosen = to === null ? null : Math.min(3, Math.max(0.25, to));
    apply();
    frame.scrollTo(x * svg.clientWidth - frame.clientWidth / 2, y * svg.clientHeight - frame.clientHeight / 2);
  };
  const steps = { in: () => change(size() * 1.25), out: () => change(size() / 1.25), fit: () => change(chosen === null ? fit() : null) };
  for (const name of Object.keys(steps)) buttons[name].addEventListener("click", steps[name]);
  addEventListener("resize", apply);
  apply();
  return { "+": steps.in, "=": steps.in, "-": steps.out, 0: steps.fit };
}

/** The value of this step as a card, what it reads above it, who reads it below it. */
function neighbourhood(place, { nodes, edges }) {
  const MOST = 4;
  const reads = nodes.map(() => []), readers = nodes.map(() => []);
  for (const edge of edges) {
    reads[edge.head].push(edge);
    readers[edge.tail].push(edge);
  }
  const card = (i, { known, now, from, fresh }) => {
    const node = nodes[i], box = make("div", `card${node.f ? "" : " input"}`);
    box.classList.toggle("now", now === i);
    box.classList.toggle("from", from === i);
    box.classList.toggle("pending", known.value[i] === null);
    const head = box.appendChild(make("p", "name", node.n));
    if (node.s) head.append(make("span", "shape", node.s));
    if (node.f && node.f !== node.n) box.append(make("p", "formula", node.f));
    const list = box.appendChild(make("dl"));
    for (const kind of ["value", "tangent", "adjoint"]) {
      if (kind === "tangent" && known.absent) continue;
      const row = list.appendChild(make("div", kind));
      row.append(make("dt", "", kind), make("dd", fresh(i, kind) ? "fresh" : "", known[kind][i] === null ? "·" : known[kind][i][0]));
    }
    return box;
  };
  const arrow = (edge, { shown, active, back }) => {
    const key = `${edge.head}-${edge.place}`, on = key === active;
    const line = make("p", `arrow${on ? " now" : ""}`);
    line.append(make("span", "", on && back ? "↑" : "↓"), make("span", shown(key, edge) ? "" : "unknown", shown(key, edge) ? edge.tip : "?"));
    return line;
  };
  const layer = (name, found, others, at) => {
    const row = make("div", `layer ${name}`);
    const groups = new Map();
    for (const edge of found) groups.set(others(edge), [...(groups.get(others(edge)) || []), edge]);
    const keys = [...groups.keys()], wanted = keys.filter((i) => i === at.now || i === at.from);
    const kept = new Set([...wanted, ...keys].slice(0, Math.max(MOST, wanted.length)));
    for (const i of keys.filter((k) => kept.has(k))) {
      const column = row.appendChild(make("div", "column"));
      const arrows = groups.get(i).map((edge) => arrow(edge, at));
      column.append(...(name === "above" ? [card(i, at), ...arrows] : [...arrows, card(i, at)]));
    }
    const more = keys.length - kept.size;
    if (more > 0) row.append(make("p", "more", name === "above" ? `and ${more} more are read` : `and ${more} more read it`));
    return row;
  };
  return (centre, at) => {
    if (centre === null) return place.replaceChildren();
    const middle = make("div", "layer");
    middle.append(card(centre, at));
    place.replaceChildren(layer("above", reads[centre], (e) => e.tail, at), middle, layer("below", readers[centre], (e) => e.head, at));
  };
}

/** Rows of the table near a value, where there are too many for all of them. */
function nearbyRows(table, { nodes }) {
  const COUNT = 15, body = table.querySelector("tbody"), words = document.getElementById("rows");
  let from = -1, rows = [];
  return (centre) => {
    const start = Math.max(0, Math.min(centre - (COUNT >> 1), nodes.length - COUNT));
    if (start !== from) {
      from = start;
      rows = nodes.slice(start, start + COUNT).map((node, k) => {
        const row = make("tr"), head = row.appendChild(make("th"));
        row.dataset.row = start + k;
        head.scope = "row";
        head.append(make("b", "", node.n), node.f && node.f !== node.n ? ` = ${node.f}` : "");
        if (node.s) head.append(" ", make("span", "shape", node.s));
        row.append(...["value", "tangent", "adjoint"].map((kind) => make("td", kind)));
        return row;
      });
      body.replaceChildren(...rows);
      words.textContent = `rows ${start + 1} to ${start + rows.length} of ${nodes.length}`;
    }
    return rows;
  };
}

/** The data of the page; those of a long program are packed so that the turns of a loop are equal (`_repeating` in stepper_data.py). */
async function unpacked(element) {
  if (element.type === "application/json") return JSON.parse(element.textContent);
  const packed = Uint8Array.from(atob(element.textContent), (letter) => letter.charCodeAt(0));
  const program = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
  const { nodes, edges, seeds } = program;
  const pair = ([text]) => (text !== "" && Number.isFinite(Number(text)) ? [text, Number(text)] : [text]);
  const filled = (text, words) => text.replace(/[\ue000-\ue003]/g, (letter) => words[letter.charCodeAt(0) - 0xe000]);
  for (const node of nodes) [node.v, node.a] = [pair(node.v), pair(node.a)];
  for (const edge of edges) {
    edge.p = pair(edge.p);
    edge.tip = filled(edge.tip, [nodes[edge.tail].n, nodes[edge.head].n, edge.p[0]]);
  }
  for (const seed of seeds) seed.t = seed.t.map(pair);
  for (const key of ["values", "tangents", "A", "B"]) {
    let at = 0, operations = 0, memory = 0;
    program[key] = program[key].map(([action, step, offset, operand, more, held, text, amount, value]) => {
      const node = step === null ? null : (at += step), other = offset === null ? null : at + offset;
      operations += more;
      memory += held;
      const row = [action, node, other, operand, operations, memory];
      if (text === undefined) return row;
      const words = [node === null ? "" : nodes[node].n, other === null ? "" : nodes[other].n, amount[0], value[0]];
      return [...row, filled(text, words), pair(amount), pair(value)];
    });
  }
  return program;
}
