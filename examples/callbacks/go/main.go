// Command callbacks is a callback service for Gatepass: the server around the rules. Who may ask, health, an orderly end.
//
//	CALLBACK_TOKEN=SECRET callbacks [HOST:PORT]
package main

import (
	"context"
	"crypto/subtle"
	"log"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	callbackv1 "example.com/callbacks/gen/gatepass/callback/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

//go:generate buf generate

func main() {
	secret := os.Getenv("CALLBACK_TOKEN")
	if secret == "" {
		log.Fatal("set CALLBACK_TOKEN, the secret that Gatepass sends")
	}
	address := "127.0.0.1:9000"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}

	server := grpc.NewServer(grpc.UnaryInterceptor(authenticate(secret))) // Beyond loopback: grpc.Creds too.
	callbackv1.RegisterCallbackServiceServer(server, rules{})
	healthv1.RegisterHealthServer(server, health.NewServer())

	told, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	go func() {
		<-told.Done()
		server.GracefulStop() // Takes no new calls, and lets open ones end.
	}()
	log.Print("listening on ", listener.Addr())
	if err := server.Serve(listener); err != nil {
		log.Fatal(err)
	}
}

// authenticate answers only who sends the secret, as Gatepass does by `callbacks.remote.credential`.
func authenticate(secret string) grpc.UnaryServerInterceptor {
	expected := []byte("Bearer " + secret)
	return func(ctx context.Context, in any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		// Probes have no credential, and learn nothing.
		if strings.HasPrefix(info.FullMethod, "/grpc.health.v1.Health/") {
			return next(ctx, in)
		}
		given, _ := metadata.FromIncomingContext(ctx)
		// In constant time: else the time an answer takes tells how much of a guess is right.
		sent := strings.Join(given.Get("authorization"), ",")
		if subtle.ConstantTimeCompare([]byte(sent), expected) != 1 {
			return nil, status.Error(codes.Unauthenticated, "send `authorization: Bearer …` with the secret")
		}
		return next(ctx, in)
	}
}
