// What the theme makes scroll sideways can be scrolled by the keyboard, too; and a button that
// copies a block of code is no place of the page.
"use strict";
addEventListener("load", () => {
  for (const one of document.querySelectorAll(".md-typeset__scrollwrap, pre > code")) {
    if (one.scrollWidth > one.clientWidth) one.tabIndex = 0;
  }
  for (const one of document.querySelectorAll("nav.md-code__nav")) one.role = "none";
});
