document.title = `A site, at ${new Date().toLocaleTimeString()}`;
