// What the page can do beyond being read: hide curves, read points, switch between views, sort tables.
// Every part works by mouse, touch and keyboard; without this script the page shows everything.
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (name, attributes, text = "") => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    return element;
  };
  const data = JSON.parse(document.getElementById("figures").textContent);

  // ---- curves: a legend entry hides and shows its curve ----
  for (const figure of all("figure")) {
    const plot = figure.querySelector(".plot");
    for (const item of all(".legend li", figure)) {
      const number = item.dataset.curve;
      const button = make("button", { type: "button", "aria-pressed": "true", title: "hide or show" });
      button.append(...item.firstElementChild.childNodes);
      item.replaceChildren(button);
      button.addEventListener("click", () => {
        const shown = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(shown));
        all(`[data-curve="${number}"]`, plot).forEach((part) => part.classList.toggle("off", !shown));
      });
    }
    read(figure, plot, data[plot.dataset.figure]);
  }

  // ---- points: arrow keys and pointer read their values ----
  function read(figure, plot, about) {
    if (!about || !about.curves.length) return;
    const readout = figure.querySelector(".readout");
    const hint = "Arrow keys: along a curve and from curve to curve.";
    const drawings = all(".drawing", plot);
    const markers = (drawing, number) => all(`[data-curve="${number}"] g > *`, drawing);
    const visible = () => about.curves.filter((curve) => !plot.querySelector(`[data-curve="${curve.n}"].off`));
    let at = null;
    const clear = () => all(".on", plot).forEach((marker) => marker.classList.remove("on"));
    const show = (curve, index) => {
      clear();
      at = { curve, index };
      for (const drawing of drawings) markers(drawing, curve.n)[index]?.classList.add("on");
      const [x, y, band] = curve.p[index];
      readout.textContent = `${curve.l}: ${about.x} = ${x}, ${about.y} = ${y}${band ? ` (${band})` : ""}`;
    };
    plot.setAttribute("tabindex", "0");
    plot.setAttribute("role", "group");
    plot.setAttribute("aria-label", `${about.title}. ${hint}`);
    plot.addEventListener("focus", () => {
      const curves = visible();
      if (at && curves.includes(at.curve)) show(at.curve, at.index);
      else if (curves.length) show(curves[0], 0);
    });
    plot.addEventListener("blur", () => { clear(); readout.textContent = ""; });
    plot.addEventListener("keydown", (event) => {
      const curves = visible();
      if (!curves.length) return;
      if (!at || !curves.includes(at.curve)) at = { curve: curves[0], index: 0 };
      const last = at.curve.p.length - 1;
      const place = curves.indexOf(at.curve);
      const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], Home: [0, -last], End: [0, last] };
      if (event.key === "Escape") { clear(); readout.textContent = ""; return; }
      if (!(event.key in steps)) return;
      event.preventDefault();
      const [down, along] = steps[event.key];
      const curve = curves[(place + down + curves.length) % curves.length];
      show(curve, Math.min(Math.max(at.index + along, 0), curve.p.length - 1));
    });
    for (const drawing of drawings) {
      for (const curve of about.curves) {
        markers(drawing, curve.n).forEach((marker, index) => marker.addEventListener("pointerenter", () => show(curve, index)));
      }
    }
  }

  // ---- views: counted and measured of one experiment share a place ----
  for (const views of all(".views")) {
    const figures = all("figure", views);
    const list = make("div", { role: "tablist", "aria-label": "How the cost is found" });
    const tabs = figures.map((figure) => {
      const tab = make("button", { type: "button", role: "tab", id: `${figure.id}-tab`, "aria-controls": figure.id }, figure.dataset.view);
      figure.setAttribute("role", "tabpanel");
      figure.setAttribute("aria-labelledby", tab.id);
      return tab;
    });
    const select = (number) => tabs.forEach((tab, k) => {
      tab.setAttribute("aria-selected", String(k === number));
      tab.tabIndex = k === number ? 0 : -1;
      figures[k].hidden = k !== number;
    });
    tabs.forEach((tab, k) => {
      tab.addEventListener("click", () => select(k));
      tab.addEventListener("keydown", (event) => {
        const to = { ArrowRight: k + 1, ArrowLeft: k - 1, Home: 0, End: tabs.length - 1 }[event.key];
        if (to === undefined) return;
        event.preventDefault();
        select((to + tabs.length) % tabs.length);
        tabs[(to + tabs.length) % tabs.length].focus();
      });
    });
    list.append(...tabs);
    views.prepend(list);
    views.dataset.ready = "";
    select(0);
  }

  // ---- tables: a heading sorts ----
  for (const table of all("table.data")) {
    const heads = all("th", table);
    heads.forEach((head, column) => {
      const button = make("button", { type: "button" }, head.textContent);
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const body = table.tBodies[0];
        const key = (row) => row.cells[column].textContent;
        const compare = (a, b) => {
          const [p, q] = [parseFloat(key(a)), parseFloat(key(b))];
          if (Number.isNaN(p) && Number.isNaN(q)) return key(a).localeCompare(key(b)) * (up ? 1 : -1);
          if (Number.isNaN(p) || Number.isNaN(q)) return Number.isNaN(p) ? 1 : -1;
          return (p - q) * (up ? 1 : -1);
        };
        body.append(...[...body.rows].sort(compare));
      });
    });
  }
  // ---- data: links hold packed files; a click saves them unpacked ----
  for (const link of all("a[download$='.gz']")) {
    link.addEventListener("click", async (event) => {
      if (typeof DecompressionStream === "undefined") return;
      event.preventDefault();
      const packed = Uint8Array.from(atob(link.href.split(",")[1]), (letter) => letter.charCodeAt(0));
      const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
      const file = new Blob([await new Response(stream).arrayBuffer()], { type: link.type });
      const address = URL.createObjectURL(file);
      make("a", { download: link.download.replace(/\.gz$/, ""), href: address }).click();
      setTimeout(() => URL.revokeObjectURL(address), 10000);
    });
  }
  addEventListener("beforeprint", () => all("details").forEach((part) => { part.open = true; }));
})();
