// Draws the charts of a page, each when it comes into view. Needs `vegaEmbed`, see `bundle_libraries`.
(() => {
  "use strict";
  const charts = new Map();
  // What is drawn as SVG takes the color of the text around it by itself; a canvas has to be told.
  const tell = (chart, color) => {
    if (chart.view && chart.renderer === "canvas") chart.view.signal("ink", color).run();
  };
  const redraw = () => {
    for (const chart of charts.values()) tell(chart, getComputedStyle(chart.place).color);
  };
  const draw = async (chart) => {
    const { spec, notes, renderer } = JSON.parse(chart.data.textContent);
    const plot = document.createElement("div");
    plot.className = "chart-plot";
    plot.style.width = "100%";
    const lines = notes.map((note) => {
      const line = document.createElement("p");
      line.className = "chart-note";
      line.textContent = note;
      return line;
    });
    chart.place.replaceChildren(...lines, plot);
    try {
      const { view } = await window.vegaEmbed(plot, spec, {
        mode: "vega-lite", ast: true, actions: false, defaultStyle: false, renderer,
        tooltip: { theme: "custom", disableDefaultStyle: true },
      });
      Object.assign(chart, { view, renderer });
      tell(chart, getComputedStyle(chart.place).color);
      chart.place.dataset.drawn = "true";
    } catch (error) {
      plot.textContent = `This chart cannot be drawn: ${error.message}`;
    }
  };
  const drawOnce = (chart) => (chart.drawn ??= draw(chart));
  const start = () => {
    const seen = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (isIntersecting) { seen.unobserve(target); drawOnce(charts.get(target.id)); }
      }
    }, { rootMargin: "600px" });
    for (const data of document.querySelectorAll("script.chart-data")) {
      const place = document.getElementById(data.dataset.for);
      charts.set(place.id, { data, place });
      seen.observe(place);
    }
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    new MutationObserver(redraw).observe(document.documentElement, { attributes: true });
    addEventListener("beforeprint", () => charts.forEach((chart) => tell(chart, "black")));
    addEventListener("afterprint", redraw);
  };
  // One after the other while the reader does nothing, so that a print or a search shows those below as well.
  const pause = () => new Promise((done) => (window.requestIdleCallback ?? setTimeout)(done));
  const drawWhenIdle = async () => {
    for (const chart of charts.values()) { await pause(); await drawOnce(chart); }
  };
  window.mlperfCharts = { charts, drawAll: () => Promise.all([...charts.values()].map(drawOnce)), drawWhenIdle, redraw };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
