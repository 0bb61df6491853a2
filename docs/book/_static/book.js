// The page of printed numbers: show the rows that match all filters, and say how many they are.
document.addEventListener("DOMContentLoaded", () => {
  const table = document.querySelector("table.numbers");
  // A table or figure that scrolls sideways can be reached by keyboard.
  for (const box of document.querySelectorAll(".cell_output, .scroll, .table-wrapper, .highlight > pre, .cell_output pre")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
  if (!table) return;
  const fields = [...document.querySelectorAll(".filters [data-column]")];
  const rows = [...table.tBodies[0].rows];
  const said = document.getElementById("rows-shown");
  const show = () => {
    let shown = 0;
    for (const row of rows) {
      const fits = fields.every((field) => {
        const wanted = field.value.trim().toLowerCase();
        if (!wanted) return true;
        if (field.dataset.column === "any") return row.textContent.toLowerCase().includes(wanted);
        return row.dataset[field.dataset.column] === field.value;
      });
      row.hidden = !fits;
      shown += fits;
    }
    said.textContent = `${shown} of ${rows.length} numbers`;
    const given = new URLSearchParams(fields.filter((field) => field.value).map((field) => [field.dataset.column, field.value]));
    history.replaceState(null, "", given.size ? `#${given}` : location.pathname + location.search);
  };
  const given = new URLSearchParams(location.hash.slice(1));
  for (const field of fields) {
    if (given.has(field.dataset.column)) field.value = given.get(field.dataset.column);
    field.addEventListener("input", show);
  }
  show();
});
