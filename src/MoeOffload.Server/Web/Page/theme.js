// Sets the theme before the page is drawn, so that a chosen one does not appear after the other.
try {
  document.documentElement.dataset.theme = localStorage.getItem("moeoffload.theme") ?? "system";
} catch {
  document.documentElement.dataset.theme = "system"; // The browser keeps nothing for this page.
}
