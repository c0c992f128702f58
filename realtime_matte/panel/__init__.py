"""The control panel: a page in the browser, and the HTTP and WebSocket interface behind it."""
