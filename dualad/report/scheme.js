// The button that chooses light, dark or what the system says; every page of ours has it.
"use strict";
(() => {
  const root = document.documentElement;
  const scheme = Object.assign(document.createElement("button"), { type: "button", id: "scheme" });
  const order = ["auto", "light", "dark"];
  const choose = (name) => {
    if (name === "auto") root.removeAttribute("data-scheme");
    else root.setAttribute("data-scheme", name);
    scheme.textContent = `Colours: ${name}`;
  };
  let chosen = 0;
  scheme.addEventListener("click", () => choose(order[chosen = (chosen + 1) % 3]));
  choose("auto");
  document.querySelector(".top").append(scheme);
})();
