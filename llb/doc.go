// Package llb has the LLB building blocks of an image build: one step in a build container, the keyed view of an app, a
// normalised layer, a layer by reference, and the assembled image. It is for every frontend that makes reproducible
// layers. It knows nothing of packfiles, and calls no daemon: package graph decides what to build.
//
// In this package bk is BuildKit's own client/llb.
package llb
