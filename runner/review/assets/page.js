// Draws the plots of the report, and lets the pipeline be fitted to the page. Everything it needs stands in the page:
// it asks nobody for anything, and nothing that came from the repository is ever run.
"use strict";
(() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const refused = () => Promise.reject(new Error("this page loads nothing"));
  const loader = { load: refused, sanitize: refused, http: refused, file: refused };
  const anchor = "<DVC_METRIC_DATA>";

  const filled = (part, points) => {
    if (part === anchor) return points;
    if (Array.isArray(part)) return part.map((one) => filled(one, points));
    if (part === null || typeof part !== "object") return part;
    return Object.fromEntries(Object.entries(part).map(([key, one]) => [key, filled(one, points)]));
  };

  const theme = () => {
    const style = window.getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const [text, line] = [colour("--text"), colour("--line")];
    return {
      background: "transparent",
      font: "system-ui, sans-serif",
      title: { color: text },
      axis: { labelColor: text, titleColor: text, gridColor: line, domainColor: line, tickColor: line },
      legend: { labelColor: text, titleColor: text },
      header: { labelColor: text, titleColor: text },
      view: { stroke: line },
      range: { category: ["#945dd6", "#13adc7", "#f46837", "#48bb78", "#4299e1", "#ed8936", "#f56565"] },
      text: { color: text },
    };
  };

  const draw = () => {
    for (const box of document.querySelectorAll("[data-plot]")) {
      const plot = JSON.parse(document.getElementById(box.dataset.plot).textContent);
      const actions = { export: true, source: false, compiled: false, editor: false };
      const drawing = { mode: "vega-lite", renderer: "svg", ast: true, logLevel: 1, downloadFileName: "plot" };
      const options = { ...drawing, loader, actions, config: theme() };
      window
        .vegaEmbed(box, { ...filled(plot.spec, plot.points), $schema: undefined }, options)
        .then(() => {
          box.querySelector("summary")?.setAttribute("aria-label", "Save this plot as an image");
          box.dataset.drawn = "yes";
        })
        .catch((error) => {
          box.textContent = `This plot cannot be drawn: ${error.message}`;
          box.dataset.drawn = "no";
        });
    }
  };

  for (const button of document.querySelectorAll("[data-fit]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const fitted = document.getElementById(button.dataset.fit).classList.toggle("fitted");
      button.setAttribute("aria-pressed", String(fitted));
    });
  }
  if (window.vegaEmbed) {
    draw();
    dark.addEventListener("change", draw);
  }
})();
