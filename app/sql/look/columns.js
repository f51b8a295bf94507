"use strict";
/* Runs before Datasette's table.js, which puts a menu into the head of each column: columns may be counted by from there,
   and it opens by keys too. */
window.DATASETTE_ALLOW_FACET = true;
addEventListener("DOMContentLoaded", () => {
  const menu = document.querySelector(".dropdown-menu");
  let opened = null;
  for (const icon of document.querySelectorAll(".dropdown-menu-icon")) {
    icon.setAttribute("role", "button");
    icon.setAttribute("tabindex", "0");
    icon.setAttribute("aria-label", `Menu of ${icon.closest("th").dataset.column}`);
    icon.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      opened = icon;
      icon.dispatchEvent(new MouseEvent("click", { bubbles: true }));
      const first = Array.from(menu.querySelectorAll("a")).find((link) => link.offsetParent);
      if (first) first.focus();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !opened) return;
    document.body.click();
    opened.focus();
    opened = null;
  });
});
