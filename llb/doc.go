// Package llb has the LLB building blocks of an image build: one step in a build container, the keyed view of an app, a
// normalised layer and the assembled image. It knows nothing of packfiles: package graph decides what to build.
//
// In this package bk is BuildKit's own client/llb.
package llb
