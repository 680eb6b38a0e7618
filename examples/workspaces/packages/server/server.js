#!/usr/bin/env node
import express from 'express'
import { greeting } from '@packfile-example/greeting'

const app = express()
app.get('/', (_req, res) => res.send(greeting('two packages')))
app.listen(process.env.PORT || 8080)
