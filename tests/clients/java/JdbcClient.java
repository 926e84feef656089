// What tools do with ClickHouse's JDBC driver, against a real store (STORE_PORT, STORE_PASSWORD). Ends with 1 at the first
// difference.
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;

public final class JdbcClient {
  public static void main(String[] arguments) throws Exception {
    for (String compress : new String[] {"true", "false"}) {
      try (Connection connection = connect(compress)) {
        queries(connection);
        inserts(connection);
        metadata(connection);
        errors(connection);
        batches(connection);
        roles(connection);
      }
    }
    System.out.println("jdbc: all passed");
  }

  private static Connection connect(String compress) throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("user", "default");
    properties.setProperty("password", System.getenv("STORE_PASSWORD"));
    properties.setProperty("compress", compress);
    // As tools that name the class: this version does not register itself with DriverManager.
    return new com.clickhouse.jdbc.Driver().connect("jdbc:clickhouse://127.0.0.1:" + System.getenv("STORE_PORT") + "/default", properties);
  }

  private static void same(Object wanted, Object got) {
    if (!String.valueOf(wanted).equals(String.valueOf(got))) throw new AssertionError("wanted " + wanted + ", got " + got);
  }

  private static void queries(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT number, toString(number) AS text, toDateTime('2026-11-27 01:02:03', 'UTC') AS moment,"
            + " CAST(NULL AS Nullable(Int32)) AS nothing, toLowCardinality('x') AS low FROM numbers(100000)")) {
      long count = 0;
      while (rows.next()) {
        same(count, rows.getLong("number"));
        same(count, rows.getString(2));
        if (count == 0) {
          same(1795741323L, rows.getTimestamp(3).getTime() / 1000);
          same(0, rows.getInt(4));
          same(true, rows.wasNull());
          same("x", rows.getString("low"));
        }
        count++;
      }
      same(100000, count);
    }
    try (PreparedStatement statement = connection.prepareStatement("SELECT ? + 1, ?")) {
      statement.setInt(1, 41);
      statement.setString(2, "it's \\ quoted");
      try (ResultSet rows = statement.executeQuery()) {
        same(true, rows.next());
        same(42, rows.getInt(1));
        same("it's \\ quoted", rows.getString(2));
      }
    }
  }

  private static void inserts(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate("CREATE OR REPLACE TABLE jdbc_rows (a Int32, b String) ENGINE = MergeTree ORDER BY a");
      same(2, statement.executeUpdate("INSERT INTO jdbc_rows VALUES (1, 'x'), (2, 'y')"));
    }
  }

  private static void batches(Connection connection) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement("INSERT INTO jdbc_rows (a, b) VALUES (?, ?)")) {
      for (int i = 3; i <= 1000; i++) {
        statement.setInt(1, i);
        statement.setString(2, "row " + i);
        statement.addBatch();
      }
      same(998, statement.executeBatch().length);
    }
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT count(), sum(a) FROM jdbc_rows")) {
      same(true, rows.next());
      same(1000, rows.getLong(1));
      same(500500, rows.getLong(2));
    }
  }

  /** The driver sends the roles of SET ROLE beside each later query. */
  private static void roles(Connection administrator) throws SQLException {
    try (Statement statement = administrator.createStatement()) {
      statement.execute("DROP USER IF EXISTS jdbc_user");
      statement.execute("DROP ROLE IF EXISTS jdbc_first, jdbc_second");
      statement.execute("CREATE ROLE jdbc_first, jdbc_second");
      statement.execute("CREATE USER jdbc_user IDENTIFIED WITH sha256_password BY 'S3Cr=?t'");
      statement.execute("GRANT jdbc_first, jdbc_second TO jdbc_user");
    }
    Properties properties = new Properties();
    properties.setProperty("user", "jdbc_user");
    properties.setProperty("password", "S3Cr=?t");
    String url = "jdbc:clickhouse://127.0.0.1:" + System.getenv("STORE_PORT") + "/default";
    try (Connection connection = new com.clickhouse.jdbc.Driver().connect(url, properties);
        Statement statement = connection.createStatement()) {
      statement.execute("SET ROLE jdbc_second");
      try (ResultSet rows = statement.executeQuery("SELECT user(), toString(currentRoles())")) {
        same(true, rows.next());
        same("jdbc_user", rows.getString(1));
        same("['jdbc_second']", rows.getString(2));
      }
    }
  }

  private static void metadata(Connection connection) throws SQLException {
    DatabaseMetaData metadata = connection.getMetaData();
    same("ClickHouse", metadata.getDatabaseProductName());
    try (ResultSet tables = metadata.getTables(null, "default", "jdbc_rows", null)) {
      same(true, tables.next());
      same("jdbc_rows", tables.getString("TABLE_NAME"));
    }
    try (ResultSet columns = metadata.getColumns(null, "default", "jdbc_rows", null)) {
      same(true, columns.next());
      same("a", columns.getString("COLUMN_NAME"));
      same(java.sql.Types.INTEGER, columns.getInt("DATA_TYPE"));
    }
  }

  private static void errors(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.executeQuery("SELECT * FROM no_such_table");
    } catch (SQLException error) {
      if (!String.valueOf(error.getMessage()).contains("UNKNOWN_TABLE")) throw error;
      return;
    }
    throw new AssertionError("a table that is not there can be read");
  }
}
