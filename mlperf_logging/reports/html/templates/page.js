for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  new window.DataTable(table, {
    order: [],
    columnDefs: [{ targets: heads.flatMap((head, index) => head.classList.contains("hidden-at-first") ? [index] : []), visible: false }],
    layout: { topStart: { buttons: [{ extend: "colvis", text: "Columns" }] } },
  });
}
for (const data of document.querySelectorAll("script.chart-data")) {
  const place = document.getElementById(data.dataset.for);
  window.vegaEmbed(place, JSON.parse(data.textContent), { ast: true, actions: false, renderer: "svg", defaultStyle: false, tooltip: { disableDefaultStyle: true } });
}
