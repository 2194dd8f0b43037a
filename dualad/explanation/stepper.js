// Steps through the sweeps: one position is one number of events that have happened; everything on the page follows from it.
//   events -> state(position): which values are known -> graph, table, source, counters
// Without this script the page shows the end: all numbers. Views of the program are in stepper_views.js.
(async () => {
  const $ = (id) => document.getElementById(id);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const program = await unpacked($("program"));
  const { nodes, edges, target, groups } = program; // groups: of a long program, the box of the summary that each value is in
  const graph = document.querySelector("svg.graph");
  const player = document.querySelector(".transport");
  const frame = graph.closest(".scroll");
  const root = document.documentElement;
  const boxes = groups ? all("[data-node]", graph) : nodes.map((_, i) => graph.querySelector(`[data-node="${i}"]`));
  const table = document.querySelector("table.trace");
  const rows = groups ? null : nodes.map((_, i) => table.querySelector(`[data-row="${i}"]`));
  const nearby = groups ? nearbyRows(table, program) : null;
  const cards = neighbourhood(document.querySelector(".around"), program);
  const zoom = zoomed(frame, graph, { in: $("larger"), out: $("smaller"), fit: $("fit") });
  const top = graph.querySelector(".label, .node");
  const edgeParts = new Map(groups ? [] : edges.map((e) => [`${e.head}-${e.place}`, all(`[data-edge="${e.head}-${e.place}"]`, graph)]));
  const edgeOf = new Map(edges.map((e) => [`${e.head}-${e.place}`, e]));
  const lines = all("[data-line]");
  const smooth = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth");
  const d = (i) => `d${target}/d${nodes[i].n}`;
  const is = (i) => (nodes[i].f && nodes[i].f !== nodes[i].n ? `${nodes[i].n} = ${nodes[i].f}` : nodes[i].n);

  let version = "B", seed = 0, events = [], position = 0, reached = 0;
  let asking = null, right = 0, asked = 0, centre = 0, seen = null;

  // ---- events: both sweeps in one list, each as an object with its words ----
  function forwardEvent([action, node, other, operand, operations, memory]) {
    const here = nodes[node];
    const tangent = seed >= 0 ? program.seeds[seed].t[node] : null;
    const value = `${is(node)}${here.f || tangent ? "" : " is given"}${here.s && !here.f ? ` is given, shape ${here.s}` : ` = ${here.v[0]}`}`;
    const text = {
      seed: () => value + (tangent ? `,   d${here.n} = ${tangent[0]}` : ""),
      visit: () => `visit ${is(node)}`,
      read: () => `read ${nodes[other].n} = ${nodes[other].v[0]}` + (tangent ? `,   d${nodes[other].n} = ${program.seeds[seed].t[other][0]}` : ""),
      compute: () => value + (tangent ? `,   d${here.n} = ${here.t} = ${tangent[0]}` : ""),
    }[action]();
    return { sweep: "forward", action, node, other, operand, operations, memory, text };
  }
  function reverseEvent([action, node, other, operand, operations, memory, text, amount, value]) {
    return { sweep: "reverse", action, node, other, operand, operations, memory, text, amount, value };
  }
  function load() {
    const forward = (seed >= 0 ? program.tangents : program.values).map(forwardEvent);
    events = [...forward, ...program[version].map(reverseEvent)];
    root.style.setProperty("--split", `${(100 * forward.length) / events.length}%`);
    $("slider").max = events.length;
  }

  // ---- what is known after `count` events ----
  function state(count) {
    const known = { value: nodes.map(() => null), tangent: nodes.map(() => null), adjoint: nodes.map(() => null) };
    let tape = 0, forward = 0, reverse = 0, memory = 0;
    for (const e of events.slice(0, count)) {
      if (e.sweep === "forward") {
        if (e.action === "seed" || e.action === "compute") {
          known.value[e.node] = nodes[e.node].v;
          if (seed >= 0) known.tangent[e.node] = program.seeds[seed].t[e.node];
          if (e.action === "compute") tape += nodes[e.node].c;
        }
        forward = e.operations;
      } else {
        if (e.action === "zero") known.adjoint.fill(["0", 0]);
        if (["seed", "increment", "set"].includes(e.action)) known.adjoint[e.node] = e.value;
        reverse = e.operations;
      }
      memory = e.memory;
    }
    return { known, tape, forward, reverse, memory };
  }

  // ---- drawing one position ----
  const edgeKey = (e) => {
    if (e.operand === null || e.operand === undefined || e.other === null) return null;
    // forward: node reads other; version B: node grows by what other sends; version A: node reads its reader other
    return e.sweep === "forward" ? `${e.node}-${e.operand}` : `${e.other}-${e.operand}`;
  };
  function draw() {
    const now = position ? events[position - 1] : null;
    const { known, tape, forward, reverse, memory } = state(position);
    const sweep = now ? now.sweep : "forward";
    root.dataset.sweep = sweep;
    const changed = now && ["seed", "compute", "increment", "set"].includes(now.action) ? now.node : null;
    const kinds = changed === null ? [] : sweep === "forward" ? ["value", "tangent"] : ["adjoint"];
    const fresh = (i, kind) => changed === i && kinds.includes(kind);
    const running = !now ? null : now.action === "increment" ? now.other : now.node; // the operation, not what it increments
    centre = !now ? 0 : running ?? centre;
    const active = now ? edgeKey(now) : null;
    const hidden = concealed();
    root.classList.toggle("guessing", predicting() && reached < events.length);
    const shown = (key, edge) => known.value[edge.head] !== null && !(asking && asking.edge === key) && !hidden.has(key);
    const write = (part, i, kind) => {
      part.textContent = known[kind][i] === null ? "·" : known[kind][i][0];
      part.classList.toggle("fresh", fresh(i, kind));
    };
    for (const row of groups ? nearby(centre) : rows) {
      const i = Number(row.dataset.row);
      row.classList.toggle("now", Boolean(now) && now.node === i);
      for (const kind of ["value", "tangent", "adjoint"]) {
        const part = row.querySelector(`.${kind}`);
        write(part, i, kind);
        part.classList.toggle("absent", kind === "tangent" && seed < 0);
      }
    }
    if (groups) boxes.forEach((box, k) => box.classList.toggle("now", Boolean(now) && running !== null && groups[running] === k));
    else {
      nodes.forEach((_, i) => {
        const box = boxes[i];
        box.classList.toggle("pending", known.value[i] === null);
        box.classList.toggle("now", Boolean(now) && now.node === i);
        box.classList.toggle("from", Boolean(now) && now.other === i);
        for (const kind of ["value", "tangent", "adjoint"]) write(box.querySelector(`[data-row="${kind}"]`), i, kind);
      });
    }
    for (const [key, parts] of edgeParts) {
      if (key === active) top.before(parts[0]); // over the edges that share its way
      for (const part of parts) {
        part.classList.toggle("now", key === active);
        part.classList.toggle("back", key === active && sweep === "reverse");
        if (part.classList.contains("label")) part.classList.toggle("hidden", !shown(key, edgeOf.get(key)));
      }
    }
    if (!$("cards").hidden) {
      known.absent = seed < 0;
      cards(centre, { known, fresh, now: now ? now.node : null, from: now ? now.other : null, shown, active, back: sweep === "reverse" });
    }
    const line = running === null ? -1 : nodes[running].l;
    lines.forEach((item) => item.classList.toggle("now", Number(item.dataset.line) === line));
    $("sweep").textContent = !now ? "Start" : sweep === "forward" ? "Forward sweep" : `Reverse sweep, version ${version}`;
    $("event").textContent = now ? now.text : "Nothing is computed yet. Press Next, or the right arrow key.";
    $("count").textContent = `step ${position} of ${events.length}`;
    $("slider").value = position;
    $("slider").setAttribute("aria-valuetext", now ? `step ${position}: ${now.text}` : "start");
    $("operations").textContent = `forward ${forward}, reverse ${reverse}`;
    $("memory").textContent = `${memory} (${8 * memory} bytes)`;
    $("tape").textContent = `${tape} ${tape === 1 ? "entry" : "entries"}`;
    $("first").disabled = $("back").disabled = position === 0;
    $("next").disabled = $("last").disabled = position === events.length;
    $("score").textContent = asked ? `${right} of ${asked} right at once` : "";
    const at = now ? (groups ? running : now.node) : null;
    seen = at === null ? null : [boxes[groups ? groups[at] : at], $("cards").hidden ? frame : $("cards")];
    if (seen) follow(...seen);
  }
  /** The box of this step comes into view inside the graph's frame; on a phone what shows the step comes up from behind the player. */
  function follow(box, view) {
    root.style.setProperty("--player", `${player.offsetHeight}px`);
    const outer = frame.getBoundingClientRect(), inner = box.getBoundingClientRect();
    let end = outer.bottom;
    if (getComputedStyle(player).position === "fixed") {
      const place = view.getBoundingClientRect(), edge = player.getBoundingClientRect().top;
      const up = Math.max(0, Math.min(place.bottom - edge + 8, place.top - 8));
      if (up) scrollBy({ top: up, behavior: smooth() });
      end = Math.min(end, edge + up);
    }
    const left = inner.left < outer.left + 8 || inner.right > outer.right - 8;
    const top = inner.top < outer.top + 8 || inner.bottom > end - 8;
    if (!frame.hidden && (left || top)) {
      frame.scrollBy({ left: left ? (inner.left + inner.right - outer.left - outer.right) / 2 : 0,
                       top: top ? (inner.top + inner.bottom - outer.top - end) / 2 : 0, behavior: smooth() });
    }
  }

  // ---- predict first ----
  const predicting = () => $("predict").checked;
  const mode = () => $("ask").value;
  /** In the mode that asks for partials, those of the reverse sweep are hidden until they are asked. */
  function concealed() {
    if (!predicting() || mode() !== "partial") return new Set();
    const left = events.slice(Math.max(position, reached)).filter((e) => e.sweep === "reverse").map(edgeKey);
    return new Set(left.filter((key) => key !== null && edgeOf.get(key).p.length > 1));
  }
  const close = (a, b) => Math.abs(a - b) <= Math.max(0.005 * Math.abs(b), 1e-9);
  /** What to ask before event k happens; null if nothing. */
  function question(k) {
    const e = events[k];
    if (e.sweep === "forward") {
      if (mode() !== "adjoint" || e.action !== "compute" || seed < 0) return null;
      const t = program.seeds[seed].t[e.node];
      if (t.length < 2) return null;
      const terms = edges.filter((edge) => edge.head === e.node && edge.p.length > 1).map((edge) => edge.p[1] * program.seeds[seed].t[edge.tail][1]);
      return { text: `What is the tangent d${nodes[e.node].n}, if ${is(e.node)}?`, answer: t[1], shown: t[0],
               rule: `d${nodes[e.node].n} = ${nodes[e.node].t}`,
               slips: [...(terms.length > 1 ? terms.map((term) => [term, "that is one of the terms; the others have to be added"]) : []),
                       [nodes[e.node].v[1], "that is the value; the tangent is asked for"]] };
    }
    const key = edgeKey(e);
    const edge = key === null ? null : edgeOf.get(key);
    if (e.action === "zero" || e.action === "visit" || (mode() === "partial" && (!edge || edge.p.length < 2))) return null;
    const before = state(k).known;
    if (mode() === "partial") {
      const reader = nodes[edge.head], read = nodes[edge.tail];
      return { text: `What is the local partial d${reader.n}/d${read.n}, if ${is(edge.head)} and ${read.n} = ${read.v[0]}?`, answer: edge.p[1],
               shown: edge.p[0], rule: edge.tip, edge: key,
               slips: [[reader.v[1], `that is ${reader.n} itself`], [edge.p[1] * (before.adjoint[edge.head] || [])[1],
                        `that is the partial times ${d(edge.head)}; the partial alone is asked for`]] };
    }
    const rule = e.text.slice(0, e.text.lastIndexOf(" = ") > 0 ? e.text.lastIndexOf(" = ") : undefined);
    if (e.value.length < 2) {
      if (e.action !== "set" && !(e.action === "increment" && before.adjoint[e.node][1] === 0) && e.action !== "seed") return null;
      if (!nodes[e.node].s || events.slice(0, k).some((f) => f.sweep === "reverse" && f.node === e.node && f.action === e.action)) return null;
      return { text: `What is the shape of ${d(e.node)}? Write it like (4, 2).`, shape: nodes[e.node].s, shown: nodes[e.node].s,
               rule: `an adjoint has the shape of its value ${nodes[e.node].n}`, slips: [] };
    }
    if (e.action === "seed") {
      return { text: `Where does the reverse sweep begin: what is ${d(e.node)}?`, answer: e.value[1], shown: e.value[0],
               rule: "the derivative of a number by itself is 1", slips: [] };
    }
    if (e.action === "increment") {
      const old = before.adjoint[e.node], p = edge.p.length > 1 ? edge.p[1] : NaN;
      return { text: `${d(e.node)} is ${old[0]} so far. What is it after the increment from ${is(e.other)}?`, answer: e.value[1], shown: e.value[0], rule,
               slips: [[old[1] ? e.amount[1] : NaN, "that is the increment alone; += adds it to what is there"], [old[1], "that is what it was before"],
                       [old[1] ? old[1] - e.amount[1] : NaN, "the increment is added, not subtracted"],
                       [old[1] + p, `the local partial has to be multiplied by ${d(e.other)} first`]] };
    }
    if (e.action === "read") {
      if (e.amount.length < 2) return null;
      return { text: `What does ${is(e.other)} send to ${d(e.node)}?`, answer: e.amount[1], shown: e.amount[0],
               rule: e.text.slice(e.text.indexOf(": ") + 2, e.text.lastIndexOf(" = ")),
               slips: [[edge.p.length > 1 ? edge.p[1] : NaN, `that is the local partial; multiply it by ${d(e.other)}`], [e.value[1], `that is ${d(e.other)}; multiply it by the local partial`]] };
    }
    const terms = [];
    for (let j = k - 1; j >= 0 && events[j].action === "read" && events[j].node === e.node; j -= 1) terms.push(events[j].amount[1]);
    if (terms.length < 2) return null;
    return { text: `${nodes[e.node].n} is read ${terms.length} times. What is ${d(e.node)}?`, answer: e.value[1], shown: e.value[0], rule,
             slips: terms.map((term) => [term, "that is one of the terms; all of them are added"]) };
  }
  function ask(k) {
    asking = { ...question(k), step: k, tries: 0 };
    $("asked").textContent = asking.text;
    $("answer").value = "";
    $("question").hidden = false;
    tell("");
    draw();
    $("answer").focus({ preventScroll: true });
  }
  function tell(text, isRight) {
    $("told").textContent = text;
    if (isRight === undefined) $("told").removeAttribute("data-right");
    else $("told").dataset.right = isRight ? "yes" : "no";
    if (seen) follow(...seen); // the words may have made the player higher
  }
  function settle(text, isRight) {
    const step = asking.step;
    asked += 1;
    if (isRight && !asking.tries) right += 1;
    asking = null;
    $("question").hidden = true;
    position = step + 1;
    reached = Math.max(reached, position);
    tell(text, isRight);
    draw();
    $(position < events.length ? "next" : "back").focus({ preventScroll: true });
  }
  function drop() {
    asking = null;
    $("question").hidden = true;
    tell("");
  }
  function check() {
    const typed = $("answer").value.trim();
    if (!typed) return;
    const { answer, shape, rule, shown, slips } = asking;
    if (shape !== undefined) {
      const plain = (text) => (text.match(/\d+/g) || []).join(",");
      if (plain(typed) === plain(shape)) return settle(`Right: ${rule}, ${shown}.`, true);
      asking.tries += 1;
      return tell(`Not ${typed}: ${rule}. Try again, or let it be shown.`, false);
    }
    let number;
    try { number = evaluate(typed); } catch (error) { return tell(`${error.message}; type a number, or a formula such as -sin(u)*2.`, false); }
    const reason = rule.endsWith(` = ${shown}`) || rule === shown ? rule : `${rule} = ${shown}`;
    if (close(number, answer)) return settle(`Right: ${reason}.`, true);
    asking.tries += 1;
    const slip = slips.find(([value]) => Number.isFinite(value) && close(number, value));
    const why = slip ? slip[1] : close(-number, answer) && answer ? "the sign is the other one"
      : answer && (close(2 * number, answer) || close(number, 2 * answer)) ? "it is off by a factor 2" : `the rule here is ${rule.replace(/ = -?[\d.]+(e[-+]?\d+)?$/, "")}`;
    return tell(`Not ${typed}: ${why}. Try again, or let it be shown.`, false);
  }

  // ---- numbers as they are typed: + - * / ^ ( ), functions, and the values that are known ----
  const functions = { sin: Math.sin, cos: Math.cos, tan: Math.tan, exp: Math.exp, log: Math.log, ln: Math.log, sqrt: Math.sqrt, tanh: Math.tanh, abs: Math.abs };
  function evaluate(text) {
    const tokens = text.replace(/−/g, "-").match(/\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|[A-Za-z_][\w.]*|\*\*|[-+*/^()]|\S/g) || [];
    const known = state(position).known.value;
    let at = 0;
    const sum = () => {
      let value = product();
      while (tokens[at] === "+" || tokens[at] === "-") value = tokens[at++] === "+" ? value + product() : value - product();
      return value;
    };
    const product = () => {
      let value = sign();
      while (tokens[at] === "*" || tokens[at] === "/") value = tokens[at++] === "*" ? value * sign() : value / sign();
      return value;
    };
    const sign = () => (tokens[at] === "-" ? (at += 1, -sign()) : tokens[at] === "+" ? (at += 1, sign()) : power());
    const power = () => {
      const base = atom();
      if (tokens[at] !== "^" && tokens[at] !== "**") return base;
      at += 1;
      return base ** sign();
    };
    const atom = () => {
      const token = tokens[at++];
      if (token === undefined) throw new Error("Something is missing at the end");
      if (token === "(") {
        const value = sum();
        if (tokens[at++] !== ")") throw new Error("A bracket is not closed");
        return value;
      }
      if (/^[\d.]/.test(token)) return Number(token);
      if (Object.hasOwn(functions, token) && tokens[at] === "(") return functions[token](atom());
      const node = nodes.findIndex((n) => n.n === token);
      if (node >= 0 && known[node] !== null && known[node].length > 1) return known[node][1];
      if (token === "pi") return Math.PI;
      throw new Error(`“${token}” is no number that is known here`);
    };
    const value = sum();
    if (at < tokens.length) throw new Error(`“${tokens[at]}” does not fit there`);
    if (!Number.isFinite(value)) throw new Error("That is not a finite number");
    return value;
  }

  // ---- moving ----
  /** To a position; with predict first, not past the first question that is still open. */
  function go(to) {
    let goal = Math.min(Math.max(to, 0), events.length);
    if (predicting()) {
      for (let k = Math.max(position, reached); k < goal; k += 1) {
        if (question(k)) {
          position = k;
          reached = Math.max(reached, k);
          if (!asking || asking.step !== k) ask(k);
          else { draw(); $("answer").focus({ preventScroll: true }); }
          return;
        }
      }
    }
    drop();
    position = goal;
    reached = Math.max(reached, goal);
    draw();
  }
  /** The next position, backwards or forwards, at which a value is finished: what follows begins another one. */
  function finished(from, by) {
    let k = from + by;
    while (k > 0 && k < events.length && !["visit", "seed", "zero"].includes(events[k].action)) k += by;
    return k;
  }
  const onward = (by) => go($("stride").value === "value" ? finished(position, by) : position + by);
  /** To the step that finishes the value of that name, in the sweep that is shown. */
  function goTo(name) {
    const node = nodes.findIndex((n) => n.n === name);
    const back = position > 0 && events[position - 1].sweep === "reverse";
    const k = events.findLastIndex((e) => e.node === node && (e.sweep === "reverse") === back && !["visit", "read"].includes(e.action));
    $("found").textContent = node < 0 ? `no value is called ${name}` : k < 0 ? `${name} is not reached in this sweep` : "";
    if (node >= 0 && k >= 0) go(k + 1);
  }
  function reload(keep) {
    const old = position, sweep = position ? events[position - 1].sweep : "forward";
    const forwardBefore = events.filter((e) => e.sweep === "forward").length;
    drop();
    load();
    const forward = events.filter((e) => e.sweep === "forward").length;
    position = keep && sweep === "forward" ? Math.min(old, forward) : old ? forward + (sweep === "reverse" && keep ? old - forwardBefore : 0) : 0;
    position = Math.min(position, events.length);
    reached = position;
    all("thead .tangent, [data-row=tangent]").forEach((part) => part.classList.toggle("absent", seed < 0));
    draw();
  }

  all("input[name=version]").forEach((radio) => radio.addEventListener("change", () => { version = radio.value; reload(false); }));
  $("seed").addEventListener("change", () => { seed = Number($("seed").value); reload(true); });
  $("predict").addEventListener("change", () => {
    $("what").hidden = !predicting();
    reached = position;
    right = asked = 0;
    drop();
    draw();
  });
  $("ask").addEventListener("change", () => { reached = position; drop(); draw(); });
  $("first").addEventListener("click", () => go(0));
  $("back").addEventListener("click", () => onward(-1));
  $("next").addEventListener("click", () => onward(1));
  $("last").addEventListener("click", () => go(events.length));
  $("slider").addEventListener("input", () => go(Number($("slider").value)));
  $("question").addEventListener("submit", (event) => { event.preventDefault(); check(); });
  $("show").addEventListener("click", () => {
    const { rule, shown } = asking;
    asking.tries += 1;
    settle(`It is ${shown}: ${rule}.`);
  });
  addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || (event.shiftKey && event.key !== "+")) return;
    if (event.target.closest("input:not([type=checkbox]), select, .scroll")) return;
    const move = { ArrowRight: () => onward(1), ArrowLeft: () => onward(-1), Home: () => go(0), End: () => go(events.length), ...zoom }[event.key];
    if (move === undefined) return;
    event.preventDefault();
    move();
  });
  $("search")?.addEventListener("submit", (event) => { event.preventDefault(); goTo($("name").value.trim()); });
  $("around")?.addEventListener("change", () => {
    $("cards").hidden = !$("around").checked;
    frame.hidden = $("sizes").hidden = $("around").checked && !groups;
    draw();
  });
  let before = null;
  addEventListener("beforeprint", () => {
    if (predicting()) return; // paper does not give the answers away
    before = position;
    position = events.length;
    draw();
    for (const name of ["now", "from", "back", "fresh"]) all(`.${name}`).forEach((part) => part.classList.remove(name)); // no step
    all(".full details").forEach((part) => { part.open = true; });
  });
  addEventListener("afterprint", () => { if (before !== null) { position = before; before = null; draw(); } });

  for (const part of ["player", "tools"]) $(part).hidden = false;
  if (groups) $("cards").hidden = false;
  load();
  all("[data-node] > title, .edge > title, .label > title", graph).forEach((title) => title.remove()); // they tell the end
  const alt = graph.querySelector("desc");
  alt.textContent = `${alt.textContent.split(". ")[0]}. The table has the numbers of this step.`;
  draw();
})();
