// Hello serves index.html from the folder that it is started in.
package main

import (
	"html/template"
	"log"
	"net/http"
	"os"
	"runtime"

	"github.com/go-chi/chi/v5"
)

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	page := template.Must(template.ParseFiles("index.html"))
	r := chi.NewRouter()
	r.Get("/", func(w http.ResponseWriter, _ *http.Request) {
		if err := page.Execute(w, runtime.Version()); err != nil {
			log.Print(err)
		}
	})
	log.Fatal(http.ListenAndServe(":"+port, r))
}
