// Tables: sorting, filtering, choice of columns; and where the reader is. Charts draw themselves.
const byId = (id) => document.getElementById(id);
const PAGE_ROWS = 25;

function enhance(table) {
  const heads = [...table.tHead.rows[0].cells];
  const withClass = (name) => heads.flatMap((head, index) => (head.classList.contains(name) ? [index] : []));
  const rows = table.tBodies[0].rows.length;
  const toolbar = document.createElement("div");
  toolbar.className = "toolbar";
  const shown = new window.DataTable(table, {
    order: [],
    autoWidth: false,
    // A served page loads again when logs change; order, search and columns stay as the reader left them.
    stateSave: document.documentElement.dataset.edition !== undefined,
    stateDuration: -1,
    pageLength: PAGE_ROWS,
    lengthMenu: [PAGE_ROWS, 100, { label: "all", value: -1 }],
    paging: rows > PAGE_ROWS,
    info: rows > PAGE_ROWS,
    columnDefs: [{ targets: withClass("hidden-at-first"), visible: false }],
    language: { search: "Search", lengthMenu: "_MENU_ rows", info: "_START_–_END_ of _TOTAL_", infoFiltered: "(of _MAX_)", infoEmpty: "none", zeroRecords: "no row fits" },
    layout: {
      topStart: () => toolbar,
      topEnd: rows > 5 ? "search" : null,
      bottomStart: rows > PAGE_ROWS ? ["info", "pageLength"] : null,
      bottomEnd: rows > PAGE_ROWS ? "paging" : null,
    },
  });
  for (const index of withClass("choices")) toolbar.append(makeChoice(shown, index, heads[index].textContent));
  const buttons = new window.DataTable.Buttons(shown, { buttons: [{ extend: "colvis", text: "Columns" }] });
  toolbar.append(buttons.container()[0]);
  // The table alone scrolls sideways, not what stands around it; the keyboard reaches it too.
  table.closest(".scroll").classList.remove("scroll");
  const around = table.parentElement;
  around.classList.add("scroll");
  around.tabIndex = 0;
  around.setAttribute("role", "region");
  around.setAttribute("aria-label", table.dataset.name);
  return shown;
}

function makeChoice(shown, index, name) {
  const select = document.createElement("select");
  select.setAttribute("aria-label", `Only rows with ${name}`);
  select.add(new Option(`${name}: all`, ""));
  const column = shown.column(index);
  const texts = new Set(column.nodes().toArray().map((cell) => cell.textContent.trim()));
  for (const text of [...texts].filter(Boolean).sort()) select.add(new Option(text, text));
  select.addEventListener("change", () => {
    const wanted = select.value;
    // By the cell, not by its markup: to parse that would call for handlers that a text in it may name.
    column.search(wanted ? (_value, _row, row) => shown.cell(row, index).node().textContent.trim() === wanted : "").draw();
  });
  return select;
}

for (const table of document.querySelectorAll("table.sortable")) enhance(table);

window.mlperfCharts?.drawWhenIdle();

const links = new Map([...document.querySelectorAll("nav.sections a")].map((link) => [link.hash.slice(1), link]));
const inView = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) {
    for (const link of links.values()) link.removeAttribute("aria-current");
    links.get(entry.target.id)?.setAttribute("aria-current", "true");
  }
}, { rootMargin: "-10% 0px -80% 0px" });
for (const id of links.keys()) inView.observe(byId(id));

// A link to a finding opens it, also one that was followed before.
function openTarget(hash) {
  for (let each = byId(hash.slice(1))?.closest("details"); each; each = each.parentElement.closest("details")) each.open = true;
}
document.addEventListener("click", (event) => openTarget(event.target.closest?.("a[href^='#']")?.hash ?? ""));
addEventListener("hashchange", () => openTarget(location.hash));
openTarget(location.hash);

addEventListener("beforeprint", () => {
  for (const rule of document.querySelectorAll("details.rule, details.more-rules")) rule.open = true;
  window.mlperfCharts?.drawAll();
});
