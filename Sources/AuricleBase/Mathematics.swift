#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// The C library's functions under one roof, so that no other file has to choose between Glibc and Darwin.

@inlinable public func squareRoot(_ x: Double) -> Double { x.squareRoot() }
public func naturalLogarithm(_ x: Double) -> Double { log(x) }
public func decimalLogarithm(_ x: Double) -> Double { log10(x) }
public func exponential(_ x: Double) -> Double { exp(x) }
public func power(_ x: Double, _ y: Double) -> Double { pow(x, y) }
public func sine(_ x: Double) -> Double { sin(x) }
public func cosine(_ x: Double) -> Double { cos(x) }
