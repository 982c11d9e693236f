"use strict";
// Cells of three scores: picked by pointer or by keyboard, and added up.
(() => {
  const LEVELS = 5;
  const number = (digits) => new Intl.NumberFormat("en", { maximumFractionDigits: digits });
  const whole = number(0), rough = number(1), share = (part, all) => `${rough.format((100 * part) / all)} %`;
  const money = (units) => (Math.abs(units) < 100 ? number(2) : whole).format(units);
  const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
  const DIMENSIONS = ["r", "f", "m"];

  const setUp = (block) => {
    const rows = new Map(
      JSON.parse(block.querySelector("script").textContent).map((row) => [row.rfm_cell, row]),
    );
    const tiles = new Map([...block.querySelectorAll("[data-cell]")].map((tile) => [tile.dataset.cell, tile]));
    const scores = Math.max(...[...rows.values()].map((row) => row.r));
    const total = { customers: 0, revenue_cents: 0 };
    for (const row of rows.values()) {
      total.customers += row.customers;
      total.revenue_cents += row.revenue_cents ?? 0;
    }
    const picked = new Set();
    let kept = new Set(), anchor = null, isDragging = false;

    const box = (one, other) => {
      const [from, to] = [rows.get(one), rows.get(other)];
      return [...rows.values()]
        .filter((row) =>
          DIMENSIONS.every((d) => row[d] >= Math.min(from[d], to[d]) && row[d] <= Math.max(from[d], to[d])),
        )
        .map((row) => row.rfm_cell);
    };
    const pick = (cells) => {
      picked.clear();
      for (const cell of cells) picked.add(cell);
      for (const [cell, tile] of tiles) tile.setAttribute("aria-selected", String(picked.has(cell)));
      tell();
    };
    const start = (cell, isAdding) => {
      anchor = cell;
      kept = new Set(isAdding ? picked : []);
      const isTaken = kept.delete(cell);
      pick(isTaken ? kept : [...kept, cell]);
    };
    const extend = (cell) => pick([...kept, ...box(anchor ?? cell, cell)]);
    const focus = (cell) => {
      for (const tile of tiles.values()) tile.tabIndex = -1;
      tiles.get(cell).tabIndex = 0;
      tiles.get(cell).focus();
    };

    block.addEventListener("pointerdown", (event) => {
      const tile = event.target.closest("[data-cell]");
      if (tile === null || event.button !== 0) return;
      event.preventDefault();
      const cell = tile.dataset.cell;
      focus(cell);
      if (event.shiftKey && anchor !== null) extend(cell);
      else start(cell, event.ctrlKey || event.metaKey || event.pointerType === "touch");
      isDragging = event.pointerType !== "touch";
    });
    block.addEventListener("pointerover", (event) => {
      const tile = event.target.closest("[data-cell]");
      if (isDragging && tile !== null) extend(tile.dataset.cell);
    });
    window.addEventListener("pointerup", () => (isDragging = false));

    // Cells lie with the best first: to the right and down scores fall, then comes the next R.
    const moved = ({ r, f, m }, key) => {
      if (key === "ArrowUp") return { r, f: f + 1, m };
      if (key === "ArrowDown") return { r, f: f - 1, m };
      if (key === "ArrowLeft") return m < scores ? { r, f, m: m + 1 } : { r: r + 1, f, m: 1 };
      if (key === "ArrowRight") return m > 1 ? { r, f, m: m - 1 } : { r: r - 1, f, m: scores };
      if (key === "PageUp") return { r: r + 1, f, m };
      if (key === "PageDown") return { r: r - 1, f, m };
      if (key === "Home") return { r, f, m: scores };
      return key === "End" ? { r, f, m: 1 } : null;
    };
    block.addEventListener("keydown", (event) => {
      const tile = event.target.closest("[data-cell]");
      if (tile === null) return;
      const cell = tile.dataset.cell;
      const to = moved(rows.get(cell), event.key);
      if (to !== null) {
        const next = `${to.r}${to.f}${to.m}`;
        if (rows.has(next)) {
          focus(next);
          if (event.shiftKey) {
            if (anchor === null) start(cell, false);
            extend(next);
          }
        }
      } else if (event.key === " ") start(cell, true);
      else if (event.key === "Enter") start(cell, false);
      else if (event.key === "Escape") {
        anchor = null;
        pick([]);
      } else return;
      event.preventDefault();
    });

    const panel = block.querySelector(".picked");
    const element = (name, text, parent) => {
      const made = document.createElement(name);
      made.textContent = text;
      parent.append(made);
      return made;
    };
    // A mean of means, each as often as it has customers.
    const mean = (some, name) => {
      const known = some.filter((row) => row[name] !== null);
      const customers = known.reduce((sum, row) => sum + row.customers, 0);
      return customers ? known.reduce((sum, row) => sum + row[name] * row.customers, 0) / customers : null;
    };
    const tell = () => {
      panel.replaceChildren();
      if (picked.size === 0) return void element("p", "No cell is picked.", panel);
      const some = [...picked].map((cell) => rows.get(cell));
      const told = some.filter((row) => row.revenue_cents !== null && row.revenue_cents !== undefined);
      const customers = some.reduce((sum, row) => sum + row.customers, 0);
      const names = some.length > 6 ? `${some.length} cells` : `${some.length > 1 ? "cells" : "cell"} ${[...picked].sort().reverse().join(", ")}`;
      element("p", `${whole.format(customers)} customers in ${names}`, panel);
      const list = element("dl", "", panel);
      const figure = (name, value, text) => {
        const pair = element("div", "", list);
        element("dt", name, pair);
        const shown = element("dd", text, pair);
        shown.dataset.value = value;
      };
      figure("share of customers", customers / total.customers, share(customers, total.customers));
      if (told.length > 0) {
        const revenue = told.reduce((sum, row) => sum + row.revenue_cents, 0);
        const of = told.reduce((sum, row) => sum + row.customers, 0);
        figure(`revenue, ${block.dataset.currency}`, revenue, money(revenue));
        if (total.revenue_cents > 0) {
          figure("share of revenue shown", revenue / total.revenue_cents, share(revenue, total.revenue_cents));
        }
        if (of > 0) {
          figure("revenue a customer", revenue / of, money(revenue / of));
          const times = revenue / of / mean([...rows.values()], "average_monetary_cents");
          if (times > 0) figure("times the average", times, number(2).format(times));
        }
      }
      const hasRecency = block.dataset.hasAllRecencies === "true" || some.length === 1;
      const days = hasRecency ? mean(some, "average_recency_days") : null;
      if (days !== null) figure("days since the last time", days, rough.format(days));
      const frequency = mean(some, "average_frequency");
      if (frequency !== null) figure("frequency", frequency, number(2).format(frequency));
      const few = some.filter((row) => row.is_few && row.customers > 0).length;
      if (few > 0) element("p", `Without the money of ${few} with too few customers.`, panel).className = "note";
      tellSegments(some, customers);
      const command = element("div", "", panel);
      command.className = "command";
      const sorted = [...picked].sort().reverse();
      const code = element("code", "", command);
      const own = sorted.flatMap((cell) => ["--cell", cell]);
      for (const part of JSON.parse(block.dataset.command)) code.append(part, " ");
      for (const part of own) {
        element("span", part, code).className = "own";
        code.append(" ");
      }
      const copy = element("button", "Copy", command);
      copy.className = "copy";
      copy.type = "button";
    };
    const tellSegments = (some, customers) => {
      const sizes = new Map();
      for (const row of some) {
        if (row.segment !== null) sizes.set(row.segment, (sizes.get(row.segment) ?? 0) + row.customers);
      }
      const told = [...sizes].filter(([, size]) => size > 0).sort((one, other) => other[1] - one[1]);
      if (told.length === 0) return;
      const words = told.map(([name, size]) => `${name} ${share(size, customers)}`);
      element("p", `Segments: ${words.join(", ")}`, panel);
    };

    const paint = (name) => {
      const most = Math.max(0, ...[...rows.values()].map((row) => row[name] ?? 0));
      for (const [cell, tile] of tiles) {
        const value = rows.get(cell)[name] ?? null;
        const level = value > 0 ? Math.min(LEVELS, 1 + Math.floor(Math.sqrt(value / most) * LEVELS * 0.999)) : 0;
        tile.className = `level-${level}`;
        const isFew = value === null && rows.get(cell).is_few && rows.get(cell).customers > 0;
        const text = value === null ? (isFew ? "few" : "") : name === "customers" ? whole.format(value) : compact.format(value);
        tile.querySelector(".measure").textContent = text;
      }
    };
    block.addEventListener("change", ({ target }) => target.name.startsWith("measure-") && paint(target.value));
  };
  document.querySelectorAll(".cells").forEach(setUp);
})();
