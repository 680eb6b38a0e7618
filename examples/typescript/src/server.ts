import { serve } from '@hono/node-server'
import { Hono } from 'hono'

const app = new Hono()
app.get('/', (c) => c.text(`Hello from TypeScript on Node.js ${process.version}\n`))
serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 8080) })
