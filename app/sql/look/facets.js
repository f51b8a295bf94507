/* Datasette's table.js reads this: columns may be counted by from their menus. */
window.DATASETTE_ALLOW_FACET = true;
