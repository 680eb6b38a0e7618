import express from 'express'

const app = express()
app.get('/', (_req, res) => res.send('Hello from node ' + process.version + '\n'))
app.listen(process.env.PORT || 8080)
