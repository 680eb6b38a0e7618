#!/usr/bin/env node
// Serves the files below $SITE on port $PORT (8080).
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const types = { ".css": "text/css", ".html": "text/html", ".js": "text/javascript" };

createServer(async (request, response) => {
  try {
    // normalize keeps a path that begins with a slash below it.
    const path = normalize("/" + decodeURIComponent(request.url.split("?")[0]));
    const file = join(process.env.SITE, path.endsWith("/") ? join(path, "index.html") : path);
    const content = await readFile(file);
    response.setHeader("Content-Type", types[extname(file)] ?? "application/octet-stream").end(content);
  } catch {
    response.writeHead(404).end();
  }
}).listen(process.env.PORT ?? 8080);
