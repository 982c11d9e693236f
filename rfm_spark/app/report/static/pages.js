"use strict";
// Pages, choices, the theme and what can be copied. Charts are drawn when they are first seen.
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");
  const pages = [...document.querySelectorAll(".page")];
  const seen = (part) => part.dispatchEvent(new CustomEvent("seen", { bubbles: true }));

  const show = () => {
    const named = pages.find((page) => `#${page.id}` === location.hash) ?? pages[0];
    for (const page of pages) page.classList.toggle("shown", page === named);
    for (const link of document.querySelectorAll("nav a")) {
      if (link.hash === `#${named.id}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    window.scrollTo(0, 0);
    seen(named);
  };
  window.addEventListener("hashchange", () => location.hash !== "#main" && show());

  // What is chosen in one place is chosen wherever the same is asked: a profile, on every page.
  document.addEventListener("change", ({ target }) => {
    if (target.dataset.label === undefined) return;
    for (const other of document.querySelectorAll(".choice input[data-label]")) {
      if (other.dataset.label === target.dataset.label && other.value === target.value) {
        other.checked = true;
        const choice = other.closest(".choice");
        for (const option of choice.children) {
          if (option.dataset.option !== undefined) {
            option.classList.toggle("shown", option.dataset.option === other.value);
          }
        }
        seen(choice);
      }
    }
  });

  const theme = document.getElementById("theme");
  const isDark = () =>
    (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const tellTheme = () => theme.setAttribute("aria-pressed", String(isDark()));
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    tellTheme();
  });
  tellTheme();

  document.addEventListener("click", async ({ target }) => {
    if (!target.classList.contains("copy")) return;
    const code = target.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent.trim());
      target.textContent = "Copied";
      setTimeout(() => (target.textContent = "Copy"), 2000);
    } catch {
      getSelection().selectAllChildren(code);
    }
  });

  // Scripts that come after this one listen first.
  document.addEventListener("DOMContentLoaded", show);
})();
