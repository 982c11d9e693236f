"use strict";
// Charts: those of the page that is seen are drawn first, then all others, so that paper has them.
(() => {
  const draw = async () => {
    const plots = [...document.querySelectorAll(".plot")];
    const isSeen = (plot) => getComputedStyle(plot).visibility === "visible";
    for (const plot of [...plots.filter(isSeen), ...plots.filter((plot) => !isSeen(plot))]) {
      const spec = JSON.parse(plot.nextElementSibling.textContent);
      // Expressions are interpreted: the page's policy lets no text become code.
      // A reader who is waiting comes first.
      await new Promise((done) => setTimeout(done));
      await window.vegaEmbed(plot, spec, { renderer: "svg", actions: false, ast: true });
    }
    document.documentElement.dataset.charts = "drawn";
  };
  window.addEventListener("load", draw);
  document.addEventListener("seen", () => window.dispatchEvent(new Event("resize")));
})();
