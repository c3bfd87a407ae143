(() => {
  "use strict";
  const key = (cell) => {
    const raw = cell.querySelector("data, time");
    if (raw) return raw.tagName === "DATA" ? Number(raw.value) : Date.parse(raw.dateTime);
    return cell.textContent.trim().toLowerCase();
  };
  const before = (a, b) => {
    if (typeof a === typeof b) return typeof a === "number" ? a - b : a.localeCompare(b);
    return typeof a === "number" ? -1 : 1;
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, place) => {
      if (!head.textContent || head.className === "drawn") return;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        for (const other of heads) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const body = table.tBodies[0];
        const rows = [...body.rows].map((row) => [key(row.cells[place]), row]);
        rows.sort((a, b) => (down ? before(b[0], a[0]) : before(a[0], b[0])));
        body.append(...rows.map((row) => row[1]));
      });
    });
  }
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  for (const form of document.querySelectorAll("form[hidden]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
  }
  const filter = document.getElementById("filter");
  if (filter) {
    const rows = [...document.querySelectorAll("table.filtered tbody tr")];
    const texts = rows.map((row) => plain(`${row.cells[0].textContent} ${row.dataset.key}`));
    filter.addEventListener("input", () => {
      const asked = plain(filter.value.trim());
      rows.forEach((row, place) => { row.hidden = !texts[place].includes(asked); });
    });
  }
  const find = document.getElementById("find");
  if (find) {
    const pages = JSON.parse(document.getElementById("pages").textContent);
    const texts = pages.map((page) => plain(`${page[0]} ${page[1]}`));
    const found = document.getElementById("found");
    find.addEventListener("input", () => {
      const asked = plain(find.value.trim());
      const hits = asked ? pages.filter((_, place) => texts[place].includes(asked)) : [];
      found.replaceChildren(...hits.slice(0, 12).map(([name, id, href]) => {
        const item = document.createElement("li");
        const link = document.createElement("a");
        link.href = href;
        link.textContent = `${name} (${id})`;
        item.append(link);
        return item;
      }));
      if (asked && !hits.length) {
        const none = document.createElement("li");
        none.textContent = "Nothing has that in its name.";
        found.append(none);
      } else if (hits.length > 12) {
        const more = document.createElement("li");
        more.textContent = `and ${hits.length - 12} more`;
        found.append(more);
      }
    });
  }
})();
