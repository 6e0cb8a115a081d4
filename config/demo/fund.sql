-- A fund database to try the hotline with, in the tables of JGJ/T 320-2014 and the three views the
-- hotline reads. Runs as it is on SQLite, PostgreSQL and MariaDB. Nobody here exists: area code 990101
-- is not assigned; check characters are right unless a row is there to show a wrong one.

CREATE TABLE st_common_unit (dwzh VARCHAR(20) PRIMARY KEY, dwmc VARCHAR(255) NOT NULL, dwdz VARCHAR(255), jbrxm VARCHAR(120), jbrsjhm VARCHAR(11));
CREATE TABLE st_collection_unit_account (dwzh VARCHAR(20) PRIMARY KEY, dwzhzt CHAR(2) NOT NULL, dwjcbl DECIMAL(4,2), grjcbl DECIMAL(4,2), dwjcrs DECIMAL(18,0), dwfcrs DECIMAL(18,0), dwzhye DECIMAL(18,2), jzny VARCHAR(6), dwxhrq DATE);
CREATE TABLE st_common_person (grzh VARCHAR(20) PRIMARY KEY, xingming VARCHAR(120), zjlx CHAR(2), zjhm VARCHAR(18), sjhm VARCHAR(11), dwzh VARCHAR(20));
CREATE TABLE st_collection_personal_account (grzh VARCHAR(20) PRIMARY KEY, grzhzt CHAR(2) NOT NULL, grjcjs DECIMAL(18,2), gryjce DECIMAL(18,2), dwyjce DECIMAL(18,2), grzhye DECIMAL(18,2), khrq DATE, xhrq DATE);
CREATE TABLE c_common_person_extension (grzh VARCHAR(20) PRIMARY KEY, grjzny VARCHAR(6));
CREATE TABLE st_housing_personal_loan (jkhtbh VARCHAR(30) PRIMARY KEY, jkrgjjzh VARCHAR(20), jkrxm VARCHAR(120), jkrzjlx CHAR(2), jkrzjh VARCHAR(18), htdkje DECIMAL(18,2), dkqs SMALLINT, dkhkfs CHAR(2), ydhkr VARCHAR(2), yddqrq DATE);
CREATE TABLE st_housing_coborrower (jkhtbh VARCHAR(30), gtjkrxm VARCHAR(120), gtjkrzjlx CHAR(2), gtjkrzjhm VARCHAR(18), PRIMARY KEY (jkhtbh, gtjkrzjhm));
CREATE TABLE st_housing_personal_account (dkzh VARCHAR(30) PRIMARY KEY, jkhtbh VARCHAR(30), dkye DECIMAL(18,2), dkqs SMALLINT, dkll DECIMAL(8,7), dqyhje DECIMAL(18,2), ljyqqs SMALLINT, dkffrq DATE, dkjqrq DATE, yhqs SMALLINT, dkzhzt CHAR(1));
CREATE INDEX person_by_id ON st_common_person (zjhm);
CREATE INDEX loan_by_id ON st_housing_personal_loan (jkrzjh);
CREATE VIEW v_ivr_gjj AS SELECT p.zjhm,p.grzh,p.xingming,p.sjhm,e.grjzny AS jzny,a.gryjce+a.dwyjce AS yjce,a.grzhye,a.grzhzt FROM st_common_person p JOIN st_collection_personal_account a ON a.grzh=p.grzh LEFT JOIN c_common_person_extension e ON e.grzh=p.grzh;
CREATE VIEW v_ivr_dk AS SELECT l.jkrzjh AS zjhm,a.dkzh,l.jkhtbh,a.dkqs,a.yhqs,a.dkye,a.dqyhje,l.ydhkr,a.dkzhzt FROM st_housing_personal_loan l JOIN st_housing_personal_account a ON a.jkhtbh=l.jkhtbh;
CREATE VIEW v_ivr_dw AS SELECT u.dwzh,u.dwmc,a.dwzhzt,a.dwjcrs,a.dwzhye,a.jzny FROM st_common_unit u JOIN st_collection_unit_account a ON a.dwzh=u.dwzh;

-- Units: one in order, one that has closed its account.
INSERT INTO st_common_unit VALUES ('9901001','示范市第一机械厂','示范市人民路1号','甲一','13800000001');
INSERT INTO st_common_unit VALUES ('9901009','示范市旧时商店','示范市人民路9号','甲九','13800000009');
INSERT INTO st_collection_unit_account VALUES ('9901001','01',0.12,0.12,286,14,5230817.46,'202610',NULL);
INSERT INTO st_collection_unit_account VALUES ('9901009','04',0.08,0.08,0,0,0.00,'202312','2024-01-31');

-- People: account number, name, kind of paper, its number, mobile, unit.
INSERT INTO st_common_person VALUES ('990100000001','张一','01','990101198503070017','13900000001','9901001'); -- all in order
INSERT INTO st_common_person VALUES ('990100000002','李二','01','99010119870316005X','13900000002','9901001'); -- X at the end
INSERT INTO st_common_person VALUES ('990100000003','王三','01','990101600101123','13900000003','9901001');    -- on file with 15 digits
INSERT INTO st_common_person VALUES ('990100000004','赵四','01','99010119550505456X','13900000004','9901001'); -- with 18, whose 15 have no X
INSERT INTO st_common_person VALUES ('990100000005','钱五','01','990101197809210030','13900000005','9901001'); -- two open accounts
INSERT INTO st_common_person VALUES ('990100000006','钱五','01','990101197809210030','13900000005','9901009');
INSERT INTO st_common_person VALUES ('990100000007','孙六','01','990101198402290117','13900000007','9901001'); -- one open, one closed
INSERT INTO st_common_person VALUES ('990100000008','孙六','01','990101198402290117','13900000007','9901009');
INSERT INTO st_common_person VALUES ('990100000009','周七','01','99010119820630004X','13900000009','9901001'); -- balance NULL
INSERT INTO st_common_person VALUES ('990100000010','吴八','01','990101197511120059','13900000010','9901001'); -- balance 0.00
INSERT INTO st_common_person VALUES ('990100000011','郑九','01','990101199508080067','13900000011','9901001'); -- sealed
INSERT INTO st_common_person VALUES ('990100000012','冯十','01','990101197906150121','13900000012','9901001'); -- frozen
INSERT INTO st_common_person VALUES ('990100000013','陈甲','01','990101198612120140','13900000013','9901001'); -- paid up to: NULL
INSERT INTO st_common_person VALUES ('990100000014','褚乙','01','99010119830808013x','13900000014','9901001'); -- a small x on file
INSERT INTO st_common_person VALUES ('990100000015','卫丙','01','990101196804200180','13900000015','9901001'); -- a wrong check digit on file
INSERT INTO st_common_person VALUES ('990100000016','蒋丁','01','990101197206060221','13900000016','9901009'); -- only a closed account
INSERT INTO st_common_person VALUES ('990100000017','沈戊','01','990101199005150027','13900000017','9901001'); -- account and loan
INSERT INTO st_common_person VALUES ('990100000018','韩己','01','990101197409050218','13900000018','9901001'); -- co-borrower only
INSERT INTO st_common_person VALUES ('990100000019','杨庚','03','E00000000','13900000019','9901001');          -- a passport
-- Account number, state, base, own and employer's monthly part, balance, opened, closed.
INSERT INTO st_collection_personal_account VALUES ('990100000001','01',5250.00,630.00,630.00,12345.67,'2010-07-01',NULL);
INSERT INTO st_collection_personal_account VALUES ('990100000002','01',8333.33,1000.00,1000.00,100000.05,'2011-03-01',NULL);
INSERT INTO st_collection_personal_account VALUES ('990100000003','01',4000.00,480.00,480.00,86420.10,'1996-01-01',NULL);
INSERT INTO st_collection_personal_account VALUES ('990100000004','01',4200.00,504.00,504.00,200300.00,'1995-06-01',NULL);
INSERT INTO st_collection_personal_account VALUES ('990100000005','01',5000.00,600.00,600.00,3000.00,'2003-01-01',NULL);
INSERT INTO st_collection_personal_account VALUES ('990100000006','01',5000.00,400.00,400.00,2000.00,'2001-01-01',NULL);
INSERT INTO st_collection_personal_account VALUES ('990100000007','01',6000.00,720.00,720.00,45678.90,'2016-05-01',NULL);
INSERT INTO st_collection_personal_account VALUES ('990100000008','05',3000.00,240.00,240.00,0.00,'2008-02-01','2016-04-30');
INSERT INTO st_collection_personal_account VALUES ('990100000009','01',5000.00,600.00,600.00,NULL,'2026-10-20',NULL);
INSERT INTO st_collection_personal_account VALUES ('990100000010','01',5000.00,600.00,600.00,0.00,'2000-01-01',NULL);
INSERT INTO st_collection_personal_account VALUES ('990100000011','02',5000.00,600.00,600.00,8765.43,'2018-09-01',NULL);
INSERT INTO st_collection_personal_account VALUES ('990100000012','06',5000.00,600.00,600.00,50006.00,'2005-09-01',NULL);
INSERT INTO st_collection_personal_account VALUES ('990100000013','01',5000.00,600.00,600.00,1010.10,'2026-11-01',NULL);
INSERT INTO st_collection_personal_account VALUES ('990100000014','01',5000.00,600.00,600.00,20002.20,'2009-04-01',NULL);
INSERT INTO st_collection_personal_account VALUES ('990100000015','01',5000.00,600.00,600.00,99999.99,'1994-04-01',NULL);
INSERT INTO st_collection_personal_account VALUES ('990100000016','05',3000.00,240.00,240.00,0.00,'1997-02-01','2022-06-30');
INSERT INTO st_collection_personal_account VALUES ('990100000017','01',9000.00,1080.00,1080.00,67890.12,'2013-08-01',NULL);
INSERT INTO st_collection_personal_account VALUES ('990100000018','01',5500.00,660.00,660.00,10500.00,'1999-05-01',NULL);
INSERT INTO st_collection_personal_account VALUES ('990100000019','01',7000.00,840.00,840.00,31415.92,'2021-03-01',NULL);
INSERT INTO c_common_person_extension SELECT grzh, '202610' FROM st_collection_personal_account WHERE grzhzt = '01' AND grzh <> '990100000013';
INSERT INTO c_common_person_extension VALUES ('990100000008','201604');
INSERT INTO c_common_person_extension VALUES ('990100000011','202406');
INSERT INTO c_common_person_extension VALUES ('990100000012','202609');
INSERT INTO c_common_person_extension VALUES ('990100000013',NULL);
INSERT INTO c_common_person_extension VALUES ('990100000016','202206');

-- Loans: contract, borrower's account, name, papers, amount, months, how repaid, day of the month, last day.
INSERT INTO st_housing_personal_loan VALUES ('HT2018000001','990100000017','沈戊','01','990101199005150027',350000.00,360,'01','20','2048-10-20'); -- all in order
INSERT INTO st_housing_personal_loan VALUES ('HT2015000002',NULL,'朱辛','01','990101198802020087',200000.00,240,'01','15','2035-06-15');            -- two loans
INSERT INTO st_housing_personal_loan VALUES ('HT2021000003',NULL,'朱辛','01','990101198802020087',150000.00,120,'02','15','2031-03-15');
INSERT INTO st_housing_personal_loan VALUES ('HT2026000004',NULL,'秦壬','01','990101199304040098',300000.00,300,'01','10','2051-10-10');            -- balance NULL
INSERT INTO st_housing_personal_loan VALUES ('HT2010000005',NULL,'尤癸','01','990101199109090102',80000.00,120,'01','08','2020-05-08');             -- repaid
INSERT INTO st_housing_personal_loan VALUES ('HT2008000006',NULL,'许子','01','990101198103030198',90000.00,120,'01','05','2018-05-05');             -- one repaid, one running
INSERT INTO st_housing_personal_loan VALUES ('HT2020000007',NULL,'许子','01','990101198103030198',260000.00,318,'02','05','2047-01-05');
INSERT INTO st_housing_coborrower VALUES ('HT2018000001','韩己','01','990101197409050218');
-- Loan account, contract, balance, months, rate, due this month, months overdue, paid out, settled, months repaid, state (2 running, 3 settled).
INSERT INTO st_housing_personal_account VALUES ('DK2018000001','HT2018000001',283456.78,360,0.0310000,1494.52,0,'2018-10-20',NULL,96,'2');
INSERT INTO st_housing_personal_account VALUES ('DK2015000002','HT2015000002',98765.43,240,0.0310000,1119.24,0,'2015-06-15',NULL,137,'2');
INSERT INTO st_housing_personal_account VALUES ('DK2021000003','HT2021000003',66000.00,120,0.0275000,1401.25,0,'2021-03-15',NULL,68,'2');
INSERT INTO st_housing_personal_account VALUES ('DK2026000004','HT2026000004',NULL,300,0.0260000,NULL,0,NULL,NULL,0,'2');
INSERT INTO st_housing_personal_account VALUES ('DK2010000005','HT2010000005',0.00,120,0.0310000,0.00,0,'2010-05-08','2020-05-08',120,'3');
INSERT INTO st_housing_personal_account VALUES ('DK2008000006','HT2008000006',0.00,120,0.0310000,0.00,0,'2008-05-05','2018-05-05',120,'3');
INSERT INTO st_housing_personal_account VALUES ('DK2020000007','HT2020000007',205000.50,318,0.0285000,1301.33,0,'2020-07-05',NULL,76,'2');
