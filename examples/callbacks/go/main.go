// Command callbacks is a callback service for Gatepass: the server for the rules, with authentication, health and shutdown.
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

	server := grpc.NewServer(grpc.UnaryInterceptor(authenticate(secret))) // Beyond loopback, add grpc.Creds.
	callbackv1.RegisterCallbackServiceServer(server, rules{})
	healthv1.RegisterHealthServer(server, health.NewServer())

	signalled, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	go func() {
		<-signalled.Done()
		server.GracefulStop() // Accepts no new calls and completes open ones.
	}()
	log.Print("listening on ", listener.Addr())
	if err := server.Serve(listener); err != nil {
		log.Fatal(err)
	}
}

// authenticate rejects calls without the secret. Gatepass sends it if `callbacks.remote.credential` is set.
func authenticate(secret string) grpc.UnaryServerInterceptor {
	expected := []byte("Bearer " + secret)
	return func(ctx context.Context, in any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		// Probes have no credential, and the health service reveals nothing.
		if strings.HasPrefix(info.FullMethod, "/grpc.health.v1.Health/") {
			return next(ctx, in)
		}
		given, _ := metadata.FromIncomingContext(ctx)
		// Compare in constant time. Otherwise the response time reveals how much of a guess is right.
		sent := strings.Join(given.Get("authorization"), ",")
		if subtle.ConstantTimeCompare([]byte(sent), expected) != 1 {
			return nil, status.Error(codes.Unauthenticated, "send `authorization: Bearer …` with the secret")
		}
		return next(ctx, in)
	}
}
