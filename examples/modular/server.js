const express = require('express')

const app = express()
app.get('/', (_req, res) => res.send(`Hello from modules, on Node.js ${process.version}, which wants ${process.env.NODE_ENV}\n`))
app.listen(process.env.PORT || 8080)
